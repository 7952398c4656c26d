using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Emission;

/// <summary>Object initialisers from annotations: each property to the runtime property of the same name.</summary>
internal static class Construction
{
    /// <summary>The widest initialiser that stays on one line.</summary>
    private const int LineWidth = 100;

    /// <summary>
    /// <c>new AdamW(arena) { LearningRate = run.LearningRate }</c>; per-run properties come from the settings in force, others as written or by default. A default that
    /// is C#'s own (false, 0) goes without saying. <paramref name="further"/> are assignments that no property says.
    /// </summary>
    public static string New(string type, IEnumerable<PropertyValue> properties, EquatableArray<SettingModel> settings, Vocabulary vocabulary, params string[] further)
    {
        string[] assignments =
        [
            .. properties.Select(property => (property, value: Value(property, settings, vocabulary)))
                .Where(pair => pair.value is not null)
                .Select(pair => $"{pair.property.Name} = {pair.value}"),
            .. further,
        ];
        if (assignments.Length == 0)
            return type.EndsWith(")", StringComparison.Ordinal) ? $"new {type}" : $"new {type}()";
        string call = type.StartsWith("(", StringComparison.Ordinal) ? $"new{type}" : $"new {type}";
        string line = $"{call} {{ {string.Join(", ", assignments)} }}";
        return line.Length <= LineWidth ? line : $"{call}\n{{\n{string.Concat(assignments.Select(assignment => $"    {assignment},\n"))}}}";
    }

    private static string? Value(PropertyValue property, EquatableArray<SettingModel> settings, Vocabulary vocabulary) =>
        settings.FirstOrDefault(setting => setting.Property == property) is { } perRun ? $"run.{perRun.Name}"
        : property.Value is { } value && (property.Written || property.IsSet) ? Literal.Of(value, property, vocabulary.Word)
        : null;
}
