using FlatPO.Recipes.Backbones;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters;

/// <summary>
/// A backbone whose weights carry the adapters' numbers, until it is disposed: evaluation and generation then cost what the base model costs (peft's <c>merge_adapter</c>). Disposing
/// it is unmerging: the frozen numbers come back bit for bit, since they stood aside and nothing is subtracted; they take their memory twice meanwhile. Dispose it before the backbone.
/// </summary>
public sealed class MergedWeights : IDisposable
{
    private readonly AdapterPlacement placement;
    private readonly IReadOnlyList<(Weight Weight, Tensor? Frozen)> aside;
    private readonly bool owned;
    private bool disposed;

    /// <summary>Puts <paramref name="numbers"/>, by the weights' names, in the place of the frozen ones; <paramref name="owned"/> are released afterwards.</summary>
    internal MergedWeights(AdapterPlacement placement, IReadOnlyDictionary<string, Tensor> numbers, bool owned)
    {
        (this.placement, this.owned) = (placement, owned);
        Weight[] changed = [.. placement.Backbone.Weights.All.Where(weight => numbers.ContainsKey(weight.Name))];
        placement.Detach();
        placement.Merged = this;
        aside = [.. changed.Select(weight => (weight, weight.Exchange(owned ? numbers[weight.Name].DetachFromDisposeScope() : numbers[weight.Name])))];
    }

    /// <summary>
    /// The weights of the checkpoint that training changed, by name: trained whole, or frozen with their adapter merged. One held in 4 bits is merged as the numbers it stands for. FPO4013 where a weight that is shared would change for another module too, FPO4019 for
    /// an adapter that is not the active one of its <see cref="AdapterCollection"/>, FPO4022 while the adapters are merged in memory.
    /// </summary>
    internal static Dictionary<string, Tensor> Of(AdapterPlacement placement)
    {
        placement.RequireUnmerged();
        _ = placement.Shared;
        if (!placement.Attached)
            throw new RecipeException("FPO4019", "the adapter is not the active one of its collection, so that its merged weights cannot be compared with it; activate it first");
        if (placement.Placed.Select(pair => pair.Site).Concat(placement.Whole).FirstOrDefault(site => site.Weights.Any(weight => weight.IsShared) && IsMergedInto(placement, site)) is { } tied)
            throw new RecipeException("FPO4013", $"{tied.Module} shares its numbers with another module (embedding and head are tied), so a checkpoint cannot hold its trained numbers apart; save the adapter instead, or train other modules");
        ScalarType format = placement.Backbone.Weights.Dtype;
        Dictionary<string, Tensor> tensors = placement.Backbone.Weights.All.Where(weight => weight.Trainable is not null).ToDictionary(
            weight => weight.Name, weight => weight.Trainable!.Value.to_type(format));
        foreach ((Site site, Adapter adapter) in placement.Placed)
            foreach ((Weight weight, Tensor merged) in adapter.Merge(site))
                tensors[weight.Name] = merged.to_type(format);
        return tensors;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (disposed)
            return;
        disposed = true;
        foreach ((Weight weight, Tensor? frozen) in aside)
        {
            Tensor? merged = weight.Exchange(frozen);
            if (owned)
                merged?.Dispose();
        }
        placement.Merged = null;
        placement.Attach();
    }

    // A bias trained alone leaves the shared weight as it is.
    private static bool IsMergedInto(AdapterPlacement placement, Site site) =>
        site.Weights.Any(weight => weight.IsShared && weight.Trainable is not null) || placement.Placed.Any(pair => pair.Site == site && pair.Adapter is not TrainedWeights);
}
