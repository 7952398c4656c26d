using FlatPO.Recipes.Generator.Model;
using Scriban.Runtime;

namespace FlatPO.Recipes.Generator.Emission;

/// <summary>The typed accessors, and the placing of each adapter in module order.</summary>
internal sealed class AdaptersSection
{
    private readonly RecipeModel recipe;
    private readonly Vocabulary vocabulary;
    private readonly Dictionary<AdapterModel, AdapterWords> words;

    private AdaptersSection(RecipeModel recipe, Vocabulary vocabulary)
    {
        (this.recipe, this.vocabulary) = (recipe, vocabulary);
        words = recipe.Adapters.ToDictionary(adapter => adapter, adapter => new AdapterWords(adapter, recipe, vocabulary));
    }

    public static string Render(RecipeModel recipe, Vocabulary vocabulary)
    {
        AdaptersSection section = new(recipe, vocabulary);
        return Templates.Render("adapters", vocabulary, new ScriptObject
        {
            ["statements"] = new ScriptArray(section.Statements()),
            ["properties"] = new ScriptArray(section.Properties()),
            ["layers"] = new ScriptArray(section.LayerClasses()),
        });
    }

    private IEnumerable<string> Statements()
    {
        foreach (AdapterModel adapter in recipe.Adapters)
        {
            AdapterWords word = words[adapter];
            string method = Construction.New(word.Method, word.MethodProperties, [], vocabulary);
            yield return $"var {word.Local} = {method.Replace("\n", "\n        ")};";
        }
        foreach (string statement in Placings().OrderBy(placing => placing.Order).Select(placing => placing.Statement))
            yield return statement;
    }

    /// <summary>One statement a module outside the layers, one for all layers of an adapter; their order is the module order.</summary>
    private IEnumerable<(int Order, string Statement)> Placings()
    {
        int firstInLayers = OrderOf(recipe.Backbone.Sites.FirstOrDefault(site => site.InLayers));
        foreach (AdapterModel adapter in recipe.Adapters)
        {
            AdapterWords word = words[adapter];
            foreach (PlacedSite placed in adapter.Outside)
                yield return (OrderOf(placed.Site), $"{placed.Property} = placement.Place({word.Local}, {Literal.Of(placed.Site.Module)});");
            if (adapter.InLayers.Any())
                yield return (firstInLayers, $"{word.Layers} = new(first: {adapter.First}, last: {adapter.Last}, layer => new {word.LayerClass}(placement, {word.Local}, layer));");
        }
        foreach (SiteModel site in recipe.SavedModules.Select(saved => saved.Site))
            yield return site.InLayers
                ? (firstInLayers, $"for (int layer = 0; layer < {recipe.Backbone.Layers}; layer++)\n            placement.TrainWhole(${Literal.Of(site.Module)});")
                : (OrderOf(site), $"placement.TrainWhole({Literal.Of(site.Module)});");
    }

    private int OrderOf(SiteModel? site)
    {
        for (int i = 0; i < recipe.Backbone.Sites.Count; i++)
            if (recipe.Backbone.Sites[i] == site)
                return i;
        return -1;
    }

    private IEnumerable<ScriptObject> Properties()
    {
        foreach (AdapterModel adapter in recipe.Adapters)
        {
            AdapterWords word = words[adapter];
            if (adapter.InLayers.Any())
                yield return new ScriptObject
                {
                    ["summary"] = $"Layers {adapter.First} to {adapter.Last}, by the layer's number.",
                    ["type"] = $"AdaptedLayers<{word.LayerClass}>",
                    ["name"] = word.Layers,
                };
            foreach (PlacedSite placed in adapter.Outside)
                yield return new ScriptObject
                {
                    ["summary"] = $"At {placed.Site.Module}, [{placed.Site.Out}, {placed.Site.In}].",
                    ["type"] = word.Accessor,
                    ["name"] = placed.Property,
                };
        }
    }

    private IEnumerable<ScriptObject> LayerClasses() => recipe.Adapters.Where(adapter => adapter.InLayers.Any()).Select(adapter => new ScriptObject
    {
        ["name"] = words[adapter].LayerClass,
        ["method"] = words[adapter].Method,
        ["local"] = words[adapter].Local,
        ["accessor"] = words[adapter].Accessor,
        ["sites"] = new ScriptArray(adapter.InLayers.Select(placed => new ScriptObject
        {
            ["name"] = placed.Property,
            ["module"] = placed.Site.Module,
            ["short_name"] = placed.Site.ShortName,
            ["in"] = placed.Site.In,
            ["out"] = placed.Site.Out,
        })),
    });
}
