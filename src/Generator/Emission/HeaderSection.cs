using FlatPO.Recipes.Generator.Model;
using Scriban.Runtime;

namespace FlatPO.Recipes.Generator.Emission;

/// <summary>The recipe in words.</summary>
internal static class HeaderSection
{
    public static string Render(RecipeModel recipe, Vocabulary vocabulary) => Templates.Render("header", vocabulary, new ScriptObject
    {
        ["title"] = OneLine($"{recipe.Shell.Self}: {recipe.Backbone.Name} ({recipe.Backbone.ModelType}, {recipe.Backbone.Layers} layers) · {string.Join(" · ", Parts(recipe))}"),
        ["counts"] = Counts(recipe),
    });

    private static IEnumerable<string> Parts(RecipeModel recipe)
    {
        AdapterModel adapter = recipe.Adapter;
        yield return $"{Written(adapter.Annotation)} at {string.Join(", ", adapter.Sites.Select(placed => placed.Site.ShortName).Distinct())}{Range(adapter, recipe.Backbone.Layers)}";
        if (recipe.SavedModules.Count > 0)
            yield return $"whole {string.Join(", ", recipe.SavedModules.Select(saved => saved.Site.ShortName))}";
        yield return recipe.Sharpness is { } sharpness ? Policy(sharpness) : "no sharpness policy";
        yield return Written(recipe.Optimizer);
        yield return recipe.Schedule is { } schedule ? Written(schedule) : "constant learning rate";
    }

    private static string Policy(SharpnessModel sharpness)
    {
        string share = sharpness.Selection switch
        {
            SelectionKind.All => "",
            SelectionKind.Quantile => $" above the {Literal.Of(StepSection.Quantile(sharpness))}-quantile",
            SelectionKind.Random => $" on {Percent(sharpness)} drawn at random",
            _ => $" {Percent(sharpness)}",
        };
        return $"{sharpness.Annotation.Name}{share}{Scope(sharpness.Annotation)}, ρ = {Literal.Of(sharpness.Annotation.Number("Rho"))}{(sharpness.Adaptive ? ", adaptive" : "")}";
    }

    private static string Scope(Annotation policy) =>
        policy.Find("Scope") is { Value.Number: not 0 } scope ? $" of the tensors at {Roles.Describe((long)scope.Value.Number, scope.Members)}" : "";

    private static string Percent(SharpnessModel sharpness) => $"{Literal.Of((double)((decimal)sharpness.Fraction * 100))} %";

    private static string Range(AdapterModel adapter, int layers) =>
        adapter.InLayers.Any() && (adapter.First > 0 || adapter.Last < layers - 1) ? $" of layers {adapter.First} to {adapter.Last}" : "";

    /// <summary>An annotation's name and its own numbers and switches as written.</summary>
    private static string Written(Annotation annotation)
    {
        string[] values =
        [
            .. annotation.Properties
                .Where(property => property is { Written: true, Value.Kind: ConstantKind.Number or ConstantKind.Integer } or { Written: true, IsSet: true, Value.Kind: ConstantKind.Boolean })
                .Select(property => property.Value!.Kind == ConstantKind.Boolean ? property.Name : $"{property.Name} = {Literal.Of(property.Value.Number)}"),
        ];
        return values.Length == 0 ? annotation.Name : $"{annotation.Name} {string.Join(", ", values)}";
    }

    private static string Counts(RecipeModel recipe)
    {
        string trains = $"trains {Literal.InWords(recipe.Plan.TrainableTensors)} tensors, {Literal.InWords(recipe.Plan.TrainableParameters)} numbers";
        return recipe.Plan.PerturbedTensors is { } perturbed ? $"{trains}; each step perturbs {Literal.InWords(perturbed)} of them" : trains;
    }

    private static string OneLine(string text) => text.Replace('\r', ' ').Replace('\n', ' ');
}
