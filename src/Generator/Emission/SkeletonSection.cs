using FlatPO.Recipes.Generator.Model;
using Scriban.Runtime;

namespace FlatPO.Recipes.Generator.Emission;

/// <summary>The members of a recipe with errors: the user sees our error, and no second one for each member that is not there.</summary>
internal static class SkeletonSection
{
    public static string Render(SkeletonModel skeleton, Vocabulary vocabulary) => Templates.Render("skeleton", vocabulary, new ScriptObject
    {
        ["name"] = skeleton.Shell.Name,
        ["self"] = skeleton.Shell.Self,
        ["example"] = vocabulary.Runtime(skeleton.Task.Example),
        ["recipe_interface"] = vocabulary.GenericWord(RuntimeTypes.RecipeInterface),
        ["prediction"] = skeleton.Task.Prediction,
        ["settings"] = SettingsSection.Rows(skeleton.Settings, vocabulary),
    });
}
