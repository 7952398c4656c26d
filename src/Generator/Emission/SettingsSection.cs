using FlatPO.Recipes.Generator.Model;
using Scriban.Runtime;

namespace FlatPO.Recipes.Generator.Emission;

/// <summary>The record of settings one run may override.</summary>
internal static class SettingsSection
{
    public static string Render(RecipeModel recipe, Vocabulary vocabulary) => Templates.Render("settings", vocabulary, new ScriptObject
    {
        ["settings"] = Rows(recipe.Settings, vocabulary),
        ["positions"] = recipe.Task.ReadsTokens && recipe.Settings.Any(setting => setting.Name == "MaxLength") ? recipe.Backbone.MaxLength : null,
        ["contrasts"] = recipe.Task.Contrasts,
        ["pixels_per_token"] = recipe.Backbone.Towers.Select(tower => tower.PixelsPerToken).Max() is > 0 and var pixels ? pixels : null,
        ["override_example"] = recipe.Settings is [{ } first, ..] ? $"Train(examples, with: s => s with {{ {Example(recipe.Settings, first).Name} = … }})" : "Train(examples)",
    });

    /// <summary>The rows of the settings table; the skeleton has the same ones.</summary>
    public static ScriptArray Rows(EquatableArray<SettingModel> settings, Vocabulary vocabulary) =>
    [
        .. settings.Select(setting => new ScriptObject
        {
            ["name"] = setting.Name,
            ["property"] = setting.Property.Name,
            ["owner"] = vocabulary.Word(setting.Property.Owner),
            ["type"] = vocabulary.Word(setting.Property.Type),
            ["value"] = setting.Property.Value is { } value ? Literal.Of(value, setting.Property, vocabulary.Word) : "default",
            ["bounded"] = setting.Property.Bounds is not null,
            ["checked_name"] = setting.Name == setting.Property.Name ? setting.Name : $"{vocabulary.Word(setting.Property.Owner)}.{setting.Property.Name}",
        }),
    ];

    private static SettingModel Example(EquatableArray<SettingModel> settings, SettingModel first) =>
        settings.FirstOrDefault(setting => setting.Annotation.Kind == AnnotationKind.Sharpness) ?? first;
}
