using FlatPO.Recipes.Generator.Model;
using Scriban.Runtime;

namespace FlatPO.Recipes.Generator.Emission;

/// <summary>The typed accessors, and the placing of the adapters in module order.</summary>
internal static class AdaptersSection
{
    public static string Render(RecipeModel recipe, Vocabulary vocabulary)
    {
        AdapterWords words = new(recipe.Adapter.Annotation, vocabulary);
        return Templates.Render("adapters", vocabulary, new ScriptObject
        {
            ["local"] = words.Local,
            ["method"] = words.Method,
            ["accessor"] = words.Accessor,
            ["access"] = words.Access,
            ["construction"] = Construction.New(words.Method, words.OwnProperties, [], vocabulary).Replace("\n", "\n        "),
            ["layer_class"] = recipe.Task.Layer,
            ["first"] = recipe.Adapter.First,
            ["last"] = recipe.Adapter.Last,
            ["statements"] = new ScriptArray(Placings(recipe, words).OrderBy(placing => placing.Order).Select(placing => placing.Statement)),
            ["in_layers"] = Sites(recipe.Adapter.InLayers),
            ["outside"] = Sites(recipe.Adapter.Outside),
        });
    }

    /// <summary>One statement for a module outside the layers, one for all layers; their order is the module order.</summary>
    private static IEnumerable<(int Order, string Statement)> Placings(RecipeModel recipe, AdapterWords words)
    {
        SiteModel[] modules = [.. recipe.Backbone.Sites];
        int firstInLayers = Array.FindIndex(modules, site => site.InLayers);
        AdapterModel adapter = recipe.Adapter;
        if (adapter.InLayers.Any())
            yield return (firstInLayers, $"Layers = new(first: {adapter.First}, last: {adapter.Last}, layer => new {recipe.Task.Layer}(placement, {words.Local}, layer));");
        foreach (PlacedSite placed in adapter.Outside)
            yield return (Array.IndexOf(modules, placed.Site), $"{placed.Property} = placement.Place({words.Local}, {Literal.Of(placed.Site.Module)});");
        foreach (SiteModel site in recipe.SavedModules.Select(saved => saved.Site))
            yield return site.InLayers
                ? (firstInLayers, $"for (int layer = 0; layer < {recipe.Backbone.Layers}; layer++)\n            placement.TrainWhole(${Literal.Of(site.Module)});")
                : (Array.IndexOf(modules, site), $"placement.TrainWhole({Literal.Of(site.Module)});");
    }

    private static ScriptArray Sites(IEnumerable<PlacedSite> sites) => new(sites.Select(placed => new ScriptObject
    {
        ["name"] = placed.Property,
        ["module"] = placed.Site.Module,
        ["short_name"] = placed.Site.ShortName,
        ["in"] = placed.Site.In,
        ["out"] = placed.Site.Out,
    }));
}
