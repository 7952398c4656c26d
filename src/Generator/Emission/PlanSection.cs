using FlatPO.Recipes.Generator.Model;
using Scriban.Runtime;

namespace FlatPO.Recipes.Generator.Emission;

/// <summary>The counts as constants.</summary>
internal static class PlanSection
{
    public static string Render(RecipeModel recipe, Vocabulary vocabulary) => Templates.Render("plan", vocabulary, new ScriptObject
    {
        ["backbone"] = recipe.Backbone.Name,
        ["tensors"] = Literal.Grouped(recipe.Plan.TrainableTensors),
        ["parameters"] = Literal.Grouped(recipe.Plan.TrainableParameters),
        ["perturbed"] = recipe.Plan.PerturbedTensors is { } perturbed ? Literal.Grouped(perturbed) : null,
    });
}
