using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>What a run feeds the backbone.</summary>
internal static class DataRules
{
    public static void Check(RecipeDeclaration declaration, BackboneModel backbone, Findings findings)
    {
        if (declaration.First(AnnotationKind.Training) is not { } training || (long)training.Number("MaxLength") is not (> 0 and var length))
            return;
        if (backbone.MaxLength is not { } longest)
            findings.Add("FPO3007", Place.Of(training, "MaxLength"), $"{length}", backbone.Name);
        else if (length > longest)
            findings.Add("FPO3006", Place.Of(training, "MaxLength"), Suggestion.Of(longest), $"{length}", backbone.Name, $"{longest}");
    }
}
