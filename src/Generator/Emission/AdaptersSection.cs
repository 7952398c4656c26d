using FlatPO.Recipes.Generator.Model;
using Scriban.Runtime;

namespace FlatPO.Recipes.Generator.Emission;

/// <summary>The typed accessors, and the placing of the adapters in module order.</summary>
internal sealed class AdaptersSection
{
    private readonly Vocabulary vocabulary;
    private readonly IReadOnlyList<Annotation> adapters;
    private readonly Dictionary<Annotation, AdapterWords> words;

    private AdaptersSection(RecipeModel recipe, Vocabulary vocabulary)
    {
        this.vocabulary = vocabulary;
        adapters = recipe.Adapter.Annotations;
        words = adapters.ToDictionary(adapter => adapter, adapter => new AdapterWords(adapter, vocabulary));
    }

    public static string Render(RecipeModel recipe, AccessorClass accessors, Vocabulary vocabulary)
    {
        AdaptersSection section = new(recipe, vocabulary);
        return Templates.Render("adapters", vocabulary, new ScriptObject
        {
            ["set"] = section.Class(accessors, [.. section.adapters.Select(adapter => section.words[adapter].Creation)]),
        });
    }

    private string Class(AccessorClass accessors, IReadOnlyList<string> before) => Templates.Render("accessors", vocabulary, new ScriptObject
    {
        ["summary"] = accessors.Summary,
        ["name"] = accessors.Name,
        ["parameters"] = $"{vocabulary.Runtime("AdapterPlacement")} placement{Parameters(accessors)}",
        ["statements"] = new ScriptArray(before.Concat(accessors.Members.Select(Statement))),
        ["properties"] = new ScriptArray(accessors.Members.Select(Property).OfType<ScriptObject>()),
        ["classes"] = new ScriptArray(accessors.Members.Select(Nested).OfType<AccessorClass>().Select(nested => Indent.All(Class(nested, []), "    "))),
    });

    private string Parameters(AccessorClass accessors) => accessors.Scope == AccessorScope.Set ? ""
        : string.Concat(Used(accessors).Select(own => $", {own.Method} {own.Local}")) + (accessors.Scope == AccessorScope.Layer ? ", int layer" : "");

    /// <summary>What a class of the accessors is created with, behind the placement.</summary>
    private string Arguments(AccessorClass accessors) =>
        string.Concat(Used(accessors).Select(own => $", {own.Local}")) + (accessors.Scope == AccessorScope.Layer ? ", layer" : "");

    /// <summary>The methods that something in a class is placed by.</summary>
    private IEnumerable<AdapterWords> Used(AccessorClass accessors) => adapters.Where(adapter => Placed(accessors).Any(placed => placed.Adapter == adapter)).Select(adapter => words[adapter]);

    private static IEnumerable<PlacedSite> Placed(AccessorClass accessors) => accessors.Members.SelectMany(member => member switch
    {
        SiteMember site => [site.Placed],
        _ when Nested(member) is { } nested => Placed(nested),
        _ => [],
    });

    private string Statement(AccessorMember member) => member switch
    {
        SiteMember { Placed: var placed } site =>
            $"{site.Name} = placement.{SiteKinds.Verb(placed.Site.Kind)}({words[placed.Adapter].Local}, {(placed.Site.InLayers ? "$" : "")}{Literal.Of(placed.Site.Module)});",
        BlockMember block => $"{block.Name} = new(placement{Arguments(block.Block)});",
        LayersMember layers => $"Layers = new(first: {layers.Tower.First}, last: {layers.Tower.Last}, layer => new {layers.Layer.Name}(placement{Arguments(layers.Layer)}));",
        WholeMember { Layers: 0 } whole => $"placement.TrainWhole({Literal.Of(whole.Site.Module)});",
        WholeMember all => $"for (int layer = 0; layer < {all.Layers}; layer++)\n    placement.TrainWhole(${Literal.Of(all.Site.Module)});",
        ElsewhereMember { Site.InLayers: false } outside => $"placement.TrainElsewhere({words[outside.Adapter].Local}, {Literal.Of(outside.Site.Module)});",
        ElsewhereMember inside => $"for (int layer = {inside.Run.First}; layer <= {inside.Run.Last}; layer++)\n    placement.TrainElsewhere({words[inside.Adapter].Local}, ${Literal.Of(inside.Site.Module)});",
        _ => throw new InvalidOperationException($"nothing places a {member.GetType().Name}"),
    };

    private ScriptObject? Property(AccessorMember member) => member switch
    {
        SiteMember { Placed: var placed } at => Property(at.Name, words[placed.Adapter].Accessor(placed.Site.Kind), Where(placed.Site)),
        BlockMember block => Property(block.Name, (block.Block.Name, "public"), block.Block.Summary),
        LayersMember layers => Property("Layers", ($"AdaptedLayers<{layers.Layer.Name}>", "public"), $"Layers {layers.Tower.First} to {layers.Tower.Last}, by the layer's number."),
        _ => null,
    };

    private static string Where(SiteModel site) => site.Kind == SiteKind.Inputs
        ? $"Beside what enters the layers, vectors of {site.Out} numbers."
        : $"At {site.ShortName}, [{string.Join(", ", site.WeightShape)}].";

    private static ScriptObject Property(string name, (string Type, string Access) property, string summary) =>
        new() { ["name"] = name, ["type"] = property.Type, ["summary"] = summary, ["access"] = property.Access };

    private static AccessorClass? Nested(AccessorMember member) => member switch
    {
        BlockMember block => block.Block,
        LayersMember layers => layers.Layer,
        _ => null,
    };
}
