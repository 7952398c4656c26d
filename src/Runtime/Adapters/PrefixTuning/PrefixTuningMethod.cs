using System.Text.Json.Nodes;
using FlatPO.Recipes.Adapters.VirtualTokens;
using FlatPO.Recipes.Backbones;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters.PrefixTuning;

/// <summary>
/// Prefix tuning (arXiv 2101.00190; peft <c>tuners/prefix_tuning</c>): trained keys and values that every layer sees before the text's own, directly or as two layers
/// make them of trained vectors (<see cref="PrefixProjection"/>). On grouped-query attention they have the keys' heads.
/// </summary>
public sealed class PrefixTuningMethod : AdapterMethod, IInputMethod<Prefix>
{
    internal const string Type = "PREFIX_TUNING";

    /// <inheritdoc cref="PrefixTuningAttribute.VirtualTokens"/>
    public int VirtualTokens { get; init; } = 20;

    /// <inheritdoc cref="PrefixTuningAttribute.PrefixProjection"/>
    public bool PrefixProjection { get; init; }

    /// <inheritdoc cref="PrefixTuningAttribute.EncoderSize"/>
    public int EncoderSize { get; init; } = 128;

    /// <inheritdoc/>
    public override string PeftType => Type;

    /// <inheritdoc/>
    public override bool NamesTargets => false;

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> KnownEntries => ["init_weights"]; // how the numbers began

    /// <inheritdoc/>
    public override string FilePrefix => "";

    /// <inheritdoc/>
    public Prefix Place(InputSite site, Generator random)
    {
        Bounds.Check(typeof(PrefixTuningAttribute), nameof(VirtualTokens), VirtualTokens);
        Bounds.Check(typeof(PrefixTuningAttribute), nameof(EncoderSize), EncoderSize);
        if (site.In == 0)
            throw new RecipeException("FPO1051", $"the layers behind {site.Module} take no prefix: prefix tuning is for decoders");
        using var scope = NewDisposeScope();
        long all = site.Shape.Layers * 2 * site.In;
        return PrefixProjection
            ? new Prefix(
                InputTensors.Of(site, "embedding.weight", randn([VirtualTokens, site.In], float32, generator: random)),
                [InputTensors.Layer(site, "transform.0", site.In, EncoderSize, random), InputTensors.Layer(site, "transform.2", EncoderSize, all, random)],
                site.Shape)
            : new Prefix(InputTensors.Of(site, "embedding.weight", randn([VirtualTokens, all], float32, generator: random)), [], site.Shape);
    }

    /// <summary>The method an adapter folder was trained with. A file holds the finished prefix, whether layers made it or not.</summary>
    public static PrefixTuningMethod From(AdapterConfig config, IReadOnlyList<Site> sites)
    {
        PrefixTuningMethod method = new() { VirtualTokens = VirtualTokenConfig.Count(config) };
        method.CheckConfig(config, sites);
        return method;
    }

    /// <inheritdoc/>
    public override void WriteConfig(JsonObject config, IReadOnlyList<Site> sites)
    {
        VirtualTokenConfig.Write(config, VirtualTokens, sites, inputs => (inputs.In, inputs.Shape.KeyValueHeads));
        config["encoder_hidden_size"] = PrefixProjection ? EncoderSize : sites.OfType<InputSite>().First().In;
        config["prefix_projection"] = PrefixProjection;
    }

    /// <inheritdoc/>
    public override void CheckConfig(AdapterConfig config, IReadOnlyList<Site> sites) => VirtualTokenConfig.Check(config, VirtualTokens, sites, inputs => inputs.In);
}
