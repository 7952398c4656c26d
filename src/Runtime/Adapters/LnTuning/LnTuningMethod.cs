using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Trainables;
using TorchSharp;

namespace FlatPO.Recipes.Adapters.LnTuning;

/// <summary>Layer-norm tuning (arXiv 2312.11420; peft <c>tuners/ln_tuning</c>): the norms' own weights and biases are trained, all else is frozen.</summary>
public sealed class LnTuningMethod : AdapterMethod, INormMethod<TrainedWeights>
{
    internal const string Type = "LN_TUNING";

    /// <inheritdoc/>
    public override string PeftType => Type;

    /// <inheritdoc/>
    public override bool SelectsLayers => false;

    /// <inheritdoc/>
    public TrainedWeights Place(NormSite site, torch.Generator random) => TrainedParts.Of(site, TrainableKind.Adapter, part => $"ln_tuning_layers.{part}");

    /// <summary>The method an adapter folder was trained with: it has no settings.</summary>
    public static LnTuningMethod From(AdapterConfig config, IReadOnlyList<Site> sites) => new();
}
