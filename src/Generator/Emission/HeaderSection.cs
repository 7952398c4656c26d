using FlatPO.Recipes.Generator.Model;
using Scriban.Runtime;

namespace FlatPO.Recipes.Generator.Emission;

/// <summary>The recipe in words.</summary>
internal static class HeaderSection
{
    public static string Render(PlannedRecipe planned, Vocabulary vocabulary) => Templates.Render("header", vocabulary, new ScriptObject
    {
        ["title"] = OneLine($"{planned.Recipe.Shell.Self}: {planned.Recipe.Backbone.Name} ({planned.Recipe.Backbone.ModelType}, {Layers(planned.Recipe.Backbone)}) · {string.Join(" · ", Parts(planned.Recipe))}"),
        ["counts"] = $"{PlanWords.Counts(planned.Plan)}; {PlanWords.Memory(planned.Plan.Memory)}",
    });

    private static string Layers(BackboneModel backbone) =>
        string.Join(" and ", backbone.Towers.Select(tower => tower.Name.Length == 0 ? $"{tower.Layers} layers" : $"{tower.Layers} {tower.Name.ToLowerInvariant()} layers"));

    private static IEnumerable<string> Parts(RecipeModel recipe)
    {
        foreach (Annotation adapter in recipe.Adapter.Annotations)
            yield return $"{Written(adapter)} at {string.Join(" and ", recipe.Adapter.Towers.Select(tower => tower.Of(adapter)).Where(tower => tower.Sites.Count > 0).Select(Placed))}";
        if (recipe.SavedModules.Count > 0)
            yield return $"whole {string.Join(", ", recipe.SavedModules.Select(saved => saved.Site.Module))}";
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

    private static string Placed(PlacedTower tower)
    {
        string sites = string.Join(", ", tower.Sites.Select(placed => placed.Site.ShortName).Distinct());
        string layers = tower.IsPartial ? $" of layers {tower.First} to {tower.Last}" : "";
        return $"{sites}{layers}{tower.Tower.InWords("the")}";
    }

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

    private static string OneLine(string text) => text.Replace('\r', ' ').Replace('\n', ' ');
}
