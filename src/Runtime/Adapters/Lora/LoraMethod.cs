using System.Globalization;
using System.Text.Json.Nodes;
using FlatPO.Recipes.Adapters.Config;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters.Lora;

/// <summary>
/// LoRA (arXiv 2106.09685; peft <c>tuners/lora/layer.py</c>) and its variants. A variant that computes something else is a <see cref="LoraPair"/> of its own and
/// a line in <c>Place</c>; its entries of adapter_config.json are in <see cref="LoraConfig"/>.
/// </summary>
public sealed class LoraMethod : AdapterMethod<LoraPair>, IEmbeddingMethod<LoraEmbedding>
{
    private readonly NumberPattern ranks = NumberPattern.None;
    private readonly NumberPattern alphas = NumberPattern.None;

    /// <inheritdoc cref="LoraAttribute.Rank"/>
    public int Rank { get; init; } = 8;

    /// <inheritdoc cref="LoraAttribute.Alpha"/>
    public double Alpha { get; init; } = 8;

    /// <inheritdoc cref="LoraAttribute.RankPattern"/>
    public IReadOnlyList<string> RankPattern
    {
        get => ranks.Texts;
        init => ranks = NumberPattern.Parse(nameof(RankPattern), value);
    }

    /// <inheritdoc cref="LoraAttribute.AlphaPattern"/>
    public IReadOnlyList<string> AlphaPattern
    {
        get => alphas.Texts;
        init => alphas = NumberPattern.Parse(nameof(AlphaPattern), value);
    }

    /// <inheritdoc cref="LoraAttribute.Dropout"/>
    public double Dropout { get; init; }

    /// <inheritdoc cref="LoraAttribute.UseRslora"/>
    public bool UseRslora { get; init; }

    /// <inheritdoc cref="LoraAttribute.UseDora"/>
    public bool UseDora { get; init; }

    /// <inheritdoc cref="LoraAttribute.LoraBias"/>
    public bool LoraBias { get; init; }

    /// <inheritdoc cref="LoraAttribute.Bias"/>
    public LoraBiasTraining Bias { get; init; }

    /// <inheritdoc cref="LoraAttribute.LearningRateRatio"/>
    public double LearningRateRatio { get; init; } = 1;

    /// <inheritdoc cref="LoraAttribute.Initialization"/>
    public LoraInitialization Initialization { get; init; }

    /// <inheritdoc/>
    public override string PeftType => LoraConfig.PeftType;

    /// <summary>r at a site, as <see cref="RankPattern"/> has it. Throws FPO1031 where that is no whole number.</summary>
    public int RankAt(Site site) => ranks.At(site.Module) is not { } rank ? Rank
        : rank == Math.Floor(rank) && rank <= int.MaxValue ? (int)rank
        : throw new RecipeException("FPO1031", string.Create(CultureInfo.InvariantCulture, $"{nameof(RankPattern)} gives {site.Module} the rank {rank}; a rank is a whole number"));

    /// <summary>α at a site, as <see cref="AlphaPattern"/> has it.</summary>
    public double AlphaAt(Site site) => alphas.At(site.Module) ?? Alpha;

    /// <summary>α / r at a site, or α / √r with <see cref="UseRslora"/>.</summary>
    public double ScalingAt(Site site) => AlphaAt(site) / (UseRslora ? Math.Sqrt(RankAt(site)) : RankAt(site));

    internal IEnumerable<(string Name, double Number)> RankEntries => ranks.Entries;

    internal IEnumerable<(string Name, double Number)> AlphaEntries => alphas.Entries;

    /// <inheritdoc/>
    public override LoraPair Place(Projection site, Generator random)
    {
        CheckAt(site);
        using var scope = NewDisposeScope();
        (Tensor a, Tensor b) = LoraStart.Factors(this, site, random);
        PairParts parts = new(this, Adapter(site, "lora_A.weight", a), Adapter(site, "lora_B.weight", b), ScalingAt(site))
        {
            Bias = LoraBias ? Adapter(site, "lora_B.bias", zeros(site.Out)) : null,
            OfSite = Bias != LoraBiasTraining.None && site.Bias is not null ? new TrainedBias(Adapter(site, "base_layer.bias", TrainedBias.Start(site).clone()), site) : null,
            Remainder = Remainder(a, b),
        };
        return UseDora ? new DoraPair(parts, Adapter(site, "lora_magnitude_vector", DoraPair.InitialMagnitude(site))) : new LoraPair(parts);
    }

    /// <inheritdoc/>
    public LoraEmbedding Place(EmbeddingSite site, Generator random)
    {
        CheckAt(site);
        using var scope = NewDisposeScope();
        (Tensor a, Tensor b) = LoraStart.Factors(this, site, random);
        return new LoraEmbedding(Adapter(site, "lora_embedding_A", a), Adapter(site, "lora_embedding_B", b), ScalingAt(site), Remainder(a, b));
    }

    /// <inheritdoc/>
    public override double RateOfVectors => LearningRateRatio;

    /// <inheritdoc/>
    public override TrainedWeights? Elsewhere(Site site)
    {
        if (Bias != LoraBiasTraining.All || site.Parts.All(own => own.Part != "bias"))
            return null;
        Weight bias = site.Parts.Single(own => own.Part == "bias").Weight;
        return new TrainedWeights([("bias", Adapter(site, "bias", bias.Frozen.to_type(ScalarType.Float32, copy: true)))]);
    }

    /// <summary>The method an adapter folder was trained with.</summary>
    public static LoraMethod From(AdapterConfig config, IReadOnlyList<Site> sites)
    {
        LoraMethod method = LoraConfig.Read(config);
        method.CheckConfig(config, sites);
        return method;
    }

    /// <inheritdoc/>
    public override void WriteConfig(JsonObject config, IReadOnlyList<Site> sites) => LoraConfig.Write(this, config);

    /// <inheritdoc/>
    public override void CheckConfig(AdapterConfig config, IReadOnlyList<Site> sites) => LoraConfig.Check(this, config, sites);

    private void CheckAt(Site site)
    {
        Conflicts.Check(typeof(LoraAttribute), this, site.Role, site.Module);
        Bounds.Check(typeof(LoraAttribute), nameof(LearningRateRatio), LearningRateRatio);
        int rank = RankAt(site);
        if (rank < 1 || rank > Math.Min(site.In, site.Out))
            throw new RecipeException("FPO1005", $"Rank = {rank} is out of bounds at {site.Module} [{site.Out}, {site.In}]; allowed is at least 1 and at most {Math.Min(site.In, site.Out)}");
    }

    private LoraRemainder? Remainder(Tensor a, Tensor b) => LoraStart.IsPartOfWeight(Initialization) ? new LoraRemainder(a, b) : null;

    /// <summary>A tensor of its own at the site. LoRA+ moves B faster, and what is one-dimensional (peft <c>optimizers/loraplus.py</c>).</summary>
    private TrainableTensor Adapter(Site site, string name, Tensor initial) => new($"{site.Module}.{name}", site.Role, TrainableKind.Adapter, initial)
    {
        LearningRateFactor = name.StartsWith("lora_A", StringComparison.Ordinal) || site is EmbeddingSite ? 1 : LearningRateRatio,
    };
}
