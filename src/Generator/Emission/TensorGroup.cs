using FlatPO.Recipes.Generator.Model;
using Scriban.Runtime;

namespace FlatPO.Recipes.Generator.Emission;

/// <summary>Trained tensors that the plan lists together: those of each of some layers, or of a module outside them.</summary>
/// <param name="Layers">First and last layer as arguments, null outside the layers.</param>
/// <param name="Tensors">Names and shapes.</param>
internal sealed record TensorGroup(string? Layers, IReadOnlyList<PlacedTensor> Tensors)
{
    /// <summary>All of them, in the order in which the accessors place them.</summary>
    public static IEnumerable<TensorGroup> Of(AccessorClass accessors) => accessors.Members.SelectMany(Of);

    public ScriptObject ToScript() => new()
    {
        ["layers"] = Layers,
        ["tensors"] = new ScriptArray(Tensors.Select(tensor => new ScriptObject { ["name"] = Literal.Of(tensor.Name), ["shape"] = string.Join(", ", tensor.Shape) })),
    };

    private static IEnumerable<TensorGroup> Of(AccessorMember member) => member switch
    {
        SiteMember site => [new(null, [.. Named(site.Placed, 0)])],
        BlockMember block => Of(block.Block),
        LayersMember layers => Alike(layers.Tower).Select(run => new TensorGroup($"{run.First}, {run.Last}", [.. InLayer(layers.Layer, run.First)])),
        ElsewhereMember left => [new(left.Site.InLayers ? $"{left.Run.First}, {left.Run.Last}" : null, [.. Named(left.Site, left.Run)])],
        WholeMember whole => [new(whole.Layers == 0 ? null : $"0, {whole.Layers - 1}", [.. Whole(whole.Site)])],
        _ => [],
    };

    /// <summary>The layers of a tower, those in which every site has the same together.</summary>
    private static IEnumerable<(int First, int Last)> Alike(PlacedTower tower)
    {
        int[] starts = [.. tower.InLayers.SelectMany(placed => placed.Runs).Select(run => run.First).Distinct().OrderBy(first => first)];
        return starts.Select((first, i) => (first, i + 1 < starts.Length ? starts[i + 1] - 1 : tower.Last));
    }

    private static IEnumerable<PlacedTensor> InLayer(AccessorClass part, int layer) => part.Members.SelectMany(member => member switch
    {
        SiteMember site => Named(site.Placed, layer),
        BlockMember block => InLayer(block.Block, layer),
        _ => [],
    });

    private static IEnumerable<PlacedTensor> Named(PlacedSite placed, int layer) => Named(placed.Site, placed.In(layer));

    private static IEnumerable<PlacedTensor> Named(SiteModel site, LayerRun run) => run.Tensors.Select(tensor => tensor with { Name = $"{site.Module}.{tensor.Name}" });

    private static IEnumerable<PlacedTensor> Whole(SiteModel site)
    {
        yield return new PlacedTensor($"{site.Module}.weight", site.WeightShape);
        if (site.HasBias)
            yield return new PlacedTensor($"{site.Module}.bias", [site.Out]);
    }
}
