using FlatPO.Recipes.Generator.Model;
using Scriban.Runtime;

namespace FlatPO.Recipes.Generator.Emission;

/// <summary>The typed accessors, and the placing of the adapters in module order.</summary>
internal static class AdaptersSection
{
    public static string Render(RecipeModel recipe, AccessorClass accessors, Vocabulary vocabulary)
    {
        AdapterWords words = new(recipe.Adapter.Annotation, vocabulary);
        string construction = Construction.New(words.Method, words.OwnProperties, [], vocabulary);
        return Templates.Render("adapters", vocabulary, new ScriptObject
        {
            ["set"] = Class(accessors, words, vocabulary, [$"var {words.Local} = {construction};"]),
        });
    }

    private static string Class(AccessorClass accessors, AdapterWords words, Vocabulary vocabulary, IReadOnlyList<string> before) => Templates.Render("accessors", vocabulary, new ScriptObject
    {
        ["summary"] = accessors.Summary,
        ["name"] = accessors.Name,
        ["parameters"] = $"{vocabulary.Runtime("AdapterPlacement")} placement{Parameters(accessors.Scope, words)}",
        ["statements"] = new ScriptArray(before.Concat(accessors.Members.Select(member => Statement(member, words)))),
        ["properties"] = new ScriptArray(accessors.Members.Select(member => Property(member, words)).OfType<ScriptObject>()),
        ["classes"] = new ScriptArray(accessors.Members.Select(Nested).OfType<AccessorClass>().Select(nested => Indent.All(Class(nested, words, vocabulary, []), "    "))),
    });

    private static string Parameters(AccessorScope scope, AdapterWords words) => scope switch
    {
        AccessorScope.Layer => $", {words.Method} {words.Local}, int layer",
        AccessorScope.Tower => $", {words.Method} {words.Local}",
        _ => "",
    };

    private static string Statement(AccessorMember member, AdapterWords words) => member switch
    {
        SiteMember site => $"{site.Name} = placement.Place({words.Local}, {(site.Placed.Site.InLayers ? "$" : "")}{Literal.Of(site.Placed.Site.Module)});",
        BlockMember block => $"{block.Name} = new(placement, {words.Local}{(block.Block.Scope == AccessorScope.Layer ? ", layer" : "")});",
        LayersMember layers => $"Layers = new(first: {layers.Tower.First}, last: {layers.Tower.Last}, layer => new {layers.Layer.Name}(placement, {words.Local}, layer));",
        WholeMember { Layers: 0 } whole => $"placement.TrainWhole({Literal.Of(whole.Site.Module)});",
        WholeMember all => $"for (int layer = 0; layer < {all.Layers}; layer++)\n    placement.TrainWhole(${Literal.Of(all.Site.Module)});",
        ElsewhereMember { Site.InLayers: false } outside => $"placement.TrainElsewhere({words.Local}, {Literal.Of(outside.Site.Module)});",
        ElsewhereMember inside => $"for (int layer = {inside.Run.First}; layer <= {inside.Run.Last}; layer++)\n    placement.TrainElsewhere({words.Local}, ${Literal.Of(inside.Site.Module)});",
        _ => throw new InvalidOperationException($"nothing places a {member.GetType().Name}"),
    };

    private static ScriptObject? Property(AccessorMember member, AdapterWords words) => member switch
    {
        SiteMember { Placed.Site: var site } at => Property(at.Name, words.Accessor, $"At {site.ShortName}, [{site.Out}, {site.In}].", words.Access),
        BlockMember block => Property(block.Name, block.Block.Name, block.Block.Summary),
        LayersMember layers => Property("Layers", $"AdaptedLayers<{layers.Layer.Name}>", $"Layers {layers.Tower.First} to {layers.Tower.Last}, by the layer's number."),
        _ => null,
    };

    private static ScriptObject Property(string name, string type, string summary, string access = "public") =>
        new() { ["name"] = name, ["type"] = type, ["summary"] = summary, ["access"] = access };

    private static AccessorClass? Nested(AccessorMember member) => member switch
    {
        BlockMember block => block.Block,
        LayersMember layers => layers.Layer,
        _ => null,
    };
}
