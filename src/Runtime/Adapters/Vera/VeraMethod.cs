using System.Text.Json.Nodes;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters.Vera;

/// <summary>VeRA (arXiv 2310.11454; peft <c>tuners/vera</c>): two trained vectors a site around one frozen random pair of projections.</summary>
public sealed class VeraMethod : AdapterMethod<VeraVectors>
{
    internal const string Type = "VERA";

    private const string KeyEntry = "projection_prng_key";
    private const string SaveEntry = "save_projection";
    private const double UsualStart = 0.1;

    /// <inheritdoc cref="VeraAttribute.Rank"/>
    public int Rank { get; init; } = 256;

    /// <inheritdoc cref="VeraAttribute.DInitial"/>
    public double DInitial { get; init; } = UsualStart;

    /// <inheritdoc cref="VeraAttribute.Dropout"/>
    public double Dropout { get; init; }

    /// <inheritdoc cref="VeraAttribute.ProjectionPrngKey"/>
    public int ProjectionPrngKey { get; init; }

    /// <inheritdoc cref="VeraAttribute.SaveProjection"/>
    public bool SaveProjection { get; init; } = true;

    /// <inheritdoc/>
    public override string PeftType => Type;

    /// <inheritdoc/>
    public override VeraVectors Place(Projection site, Generator random)
    {
        Bounds.CheckAll(typeof(VeraAttribute), this);
        return new VeraVectors(Vector("vera_lambda_b", zeros(site.Out)), Vector("vera_lambda_d", full([Rank], Scalars.Of(DInitial), ScalarType.Float32)), Dropout);

        TrainableTensor Vector(string name, Tensor initial) => new($"{site.Module}.{name}", site.Role, TrainableKind.Adapter, initial);
    }

    /// <summary>The method an adapter folder was trained with.</summary>
    public static VeraMethod From(AdapterConfig config, IReadOnlyList<Site> sites)
    {
        VeraMethod method = new()
        {
            Rank = (int)config.Number("r", 256),
            // how λ_d once began changes nothing, so that a start we would not train from is no reason to refuse
            DInitial = config.Number("d_initial", UsualStart) is > 0 and var start ? start : UsualStart,
            Dropout = config.Number("vera_dropout", 0),
            ProjectionPrngKey = (int)config.Number(KeyEntry, 0),
            SaveProjection = SavesProjection(config),
        };
        method.CheckConfig(config, sites);
        return method;
    }

    /// <inheritdoc/>
    public override void WriteConfig(JsonObject config, IReadOnlyList<Site> sites)
    {
        config["fan_in_fan_out"] = false;
        config["r"] = Rank;
        config["d_initial"] = DInitial;
        config["vera_dropout"] = Dropout;
        config[KeyEntry] = ProjectionPrngKey;
        config[SaveEntry] = SaveProjection;
        config["init_weights"] = true;
        config["bias"] = "none";
    }

    /// <inheritdoc/>
    public override void CheckConfig(AdapterConfig config, IReadOnlyList<Site> sites)
    {
        if (config.Number("r", 256) != Rank)
            throw config.Invalid("r", $"{Rank}, the rank of this adapter");
        if (config.Number(KeyEntry, 0) != ProjectionPrngKey)
            throw config.Invalid(KeyEntry, $"{ProjectionPrngKey}, the key of this adapter's projections");
        if (SavesProjection(config) != SaveProjection)
            throw config.Invalid(SaveEntry, $"{(SaveProjection ? "true" : "false")}, as this adapter has it");
        if (config.Flag("fan_in_fan_out"))
            throw config.Invalid("fan_in_fan_out", "false");
        if (config.Text("bias") is { } and not "none")
            throw config.Invalid("bias", "\"none\"");
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<SharedTensor> Share(IReadOnlyList<(Projection Site, VeraVectors Layer)> placed, Device device)
    {
        // peft's order and its numbers, bit for bit: A and B come one after the other from one generator on the CPU (tuners/vera/model.py, _init_vera_A_vera_B)
        using Generator random = new((ulong)ProjectionPrngKey, CPU);
        Tensor a = KaimingUniform([Rank, placed.Max(pair => pair.Site.In)], random).to(device);
        Tensor b = KaimingUniform([placed.Max(pair => pair.Site.Out), Rank], random).to(device);
        foreach ((_, VeraVectors layer) in placed)
            layer.Share(a, b);
        return [new SharedTensor("base_model.vera_A", a) { InFile = SaveProjection }, new SharedTensor("base_model.vera_B", b) { InFile = SaveProjection }];
    }

    /// <summary>Uniform in ±√3 · √2 / √(columns), for a rectifier's gain (peft <c>_kaiming_init</c>).</summary>
    private static Tensor KaimingUniform(long[] shape, Generator random)
    {
        double bound = Math.Sqrt(3) * (Math.Sqrt(2) / Math.Sqrt(shape[1]));
        return empty(shape, float32).uniform_(-bound, bound, random);
    }

    private static bool SavesProjection(AdapterConfig config) => !config.Has(SaveEntry) || config.Flag(SaveEntry);
}
