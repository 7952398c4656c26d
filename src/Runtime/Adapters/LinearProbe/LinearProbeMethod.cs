using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Trainables;
using TorchSharp;

namespace FlatPO.Recipes.Adapters.LinearProbe;

/// <summary>Linear probing: the task's head is trained on features that stay as they are. peft has no such method; docs/adapters.md says what its folder holds.</summary>
public sealed class LinearProbeMethod : AdapterMethod, ILinearMethod<TrainedWeights>
{
    internal const string Type = "LINEAR_PROBE";

    /// <inheritdoc/>
    public override string PeftType => Type;

    /// <inheritdoc/>
    public override bool SelectsLayers => false;

    /// <inheritdoc/>
    public TrainedWeights Place(Projection site, torch.Generator random) => TrainedParts.All(site, TrainableKind.Adapter);

    /// <summary>The method an adapter folder was trained with: it has no settings.</summary>
    public static LinearProbeMethod From(AdapterConfig config, IReadOnlyList<Site> sites) => new();
}
