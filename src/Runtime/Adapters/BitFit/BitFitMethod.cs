using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Trainables;
using TorchSharp;

namespace FlatPO.Recipes.Adapters.BitFit;

/// <summary>BitFit (arXiv 2106.10199): the biases of linear layers and norms are trained, all else is frozen. peft has no such method; docs/adapters.md says what its folder holds.</summary>
public sealed class BitFitMethod : AdapterMethod, ILinearMethod<TrainedWeights>, INormMethod<TrainedWeights>
{
    internal const string Type = "BITFIT";

    private const string Part = "bias";

    /// <inheritdoc/>
    public override string PeftType => Type;

    /// <inheritdoc/>
    public TrainedWeights Place(Projection site, torch.Generator random) => Biases(site);

    /// <inheritdoc/>
    public TrainedWeights Place(NormSite site, torch.Generator random) => Biases(site);

    /// <summary>The method an adapter folder was trained with: it has no settings.</summary>
    public static BitFitMethod From(AdapterConfig config, IReadOnlyList<Site> sites) => new();

    /// <inheritdoc/>
    internal override bool Trains(Site site) => site.Parts.Any(own => own.Part == Part);

    private TrainedWeights Biases(Site site) => Trains(site) ? TrainedParts.Of(site, TrainableKind.Adapter, part => part == Part ? part : null) : throw Nothing(this, site);
}
