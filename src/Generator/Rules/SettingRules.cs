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
        TaskRow task = TaskTable.Find(declaration.Task) ?? TaskTable.Rows[0];
        List<SettingModel> settings = [];
        foreach (Annotation annotation in Order.Select(declaration.First).OfType<Annotation>())
            foreach (PropertyValue property in annotation.Properties.Where(property => property.PerRun && Concerns(task, annotation, property.Name)))
            {
                bool taken = settings.Exists(setting => setting.Name == property.Name);
                settings.Add(new SettingModel(taken ? annotation.Name + property.Name : property.Name, annotation, property));
            }
        return [.. settings];
    }

    /// <summary>What limits tokens or images is no setting of a task that reads none.</summary>
    private static bool Concerns(TaskRow task, Annotation annotation, string property) => (annotation.Kind, property) switch
    {
        (AnnotationKind.Training, "MaxLength") => task.ReadsTokens,
        (AnnotationKind.Training, "MaxPixels") => task.ReadsImageTokens,
        _ => true,
    };
}
