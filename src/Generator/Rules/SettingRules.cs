using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>Which properties of which attributes one run may override.</summary>
internal static class SettingRules
{
    private static readonly AnnotationKind[] Order =
        [AnnotationKind.Optimizer, AnnotationKind.Schedule, AnnotationKind.Sharpness, AnnotationKind.Training];

    /// <summary>Every per-run property; of two with one name the later takes its attribute's name in front.</summary>
    public static EquatableArray<SettingModel> Collect(RecipeDeclaration declaration)
    {
        List<SettingModel> settings = [];
        foreach (Annotation annotation in Order.Select(declaration.First).OfType<Annotation>())
            foreach (PropertyValue property in annotation.Properties.Where(property => property.PerRun))
            {
                bool taken = settings.Exists(setting => setting.Name == property.Name);
                settings.Add(new SettingModel(taken ? annotation.Name + property.Name : property.Name, annotation, property));
            }
        return [.. settings];
    }
}
