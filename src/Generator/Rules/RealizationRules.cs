using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>Whether an annotation, ours or a user's own, says what it stands for.</summary>
internal static class RealizationRules
{
    public static void Check(Annotation annotation, Findings findings)
    {
        if (Missing(annotation) is { } missing)
            findings.Add("FPO0013", Place.Of(annotation), annotation.Name, missing);
    }

    private static string? Missing(Annotation annotation) => annotation.Kind switch
    {
        AnnotationKind.Adapter or AnnotationKind.Optimizer or AnnotationKind.Schedule when annotation.Realization is null => "its class has no [RealizedBy]",
        AnnotationKind.Adapter when annotation.Realization!.Accessors.Count == 0 => $"{TypeNames.Simple(annotation.Realization.Type)} has no method Place",
        AnnotationKind.Adapter when annotation.Tensors.Count == 0 => "its class has no [AdapterTensor]",
        AnnotationKind.Adapter when UnknownCondition(annotation) is { } unknown => unknown,
        AnnotationKind.Adapter when annotation.Properties.FirstOrDefault(property => property.PatternOf is { } of && annotation.Find(of)?.Value is null) is { } pattern => $"{pattern.Name} is a pattern of {pattern.PatternOf}, which is no number of it",
        AnnotationKind.Adapter or AnnotationKind.Optimizer or AnnotationKind.Schedule => Unset(annotation),
        _ => null,
    };

    private static string? UnknownCondition(Annotation annotation) =>
        annotation.Tensors.SelectMany(tensor => tensor.Conditions).FirstOrDefault(condition => annotation.Find(condition) is null) is { } condition
            ? $"an [AdapterTensor] depends on {condition}, which is no property of it"
            : null;

    private static string? Unset(Annotation annotation) =>
        annotation.Passed.FirstOrDefault(property => !annotation.Realization!.Properties.Contains(property.Name)) is { } property
            ? $"{TypeNames.Simple(annotation.Realization!.Type)} has no property {property.Name} that can be set"
            : null;
}
