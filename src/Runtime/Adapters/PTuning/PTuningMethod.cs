using System.Text.Json.Nodes;
using FlatPO.Recipes.Adapters.VirtualTokens;
using FlatPO.Recipes.Backbones;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters.PTuning;

/// <summary>
/// P-tuning (arXiv 2103.10385; peft <c>tuners/p_tuning</c>, encoder MLP): a prompt that three layers make of trained vectors. An adapter file holds what they
/// make, not the layers.
/// </summary>
public sealed class PTuningMethod : AdapterMethod, IInputMethod<PromptEncoder>
{
    internal const string Type = "P_TUNING";

    /// <inheritdoc cref="PTuningAttribute.VirtualTokens"/>
    public int VirtualTokens { get; init; } = 20;

    /// <inheritdoc cref="PTuningAttribute.EncoderSize"/>
    public int EncoderSize { get; init; } = 128;

    /// <inheritdoc/>
    public override string PeftType => Type;

    /// <inheritdoc/>
    public override bool NamesTargets => false;

    /// <inheritdoc/>
    public override string FilePrefix => "";

    /// <inheritdoc/>
    public PromptEncoder Place(InputSite site, Generator random)
    {
        Bounds.Check(typeof(PTuningAttribute), nameof(VirtualTokens), VirtualTokens);
        Bounds.Check(typeof(PTuningAttribute), nameof(EncoderSize), EncoderSize);
        using var scope = NewDisposeScope();
        return new PromptEncoder(
            InputTensors.Of(site, "embedding.weight", randn([VirtualTokens, site.Out], float32, generator: random)),
            [
                InputTensors.Layer(site, "mlp_head.0", site.Out, EncoderSize, random),
                InputTensors.Layer(site, "mlp_head.2", EncoderSize, EncoderSize, random),
                InputTensors.Layer(site, "mlp_head.4", EncoderSize, site.Out, random),
            ]);
    }

    /// <summary>The method an adapter folder was trained with.</summary>
    public static PTuningMethod From(AdapterConfig config, IReadOnlyList<Site> sites)
    {
        PTuningMethod method = new() { VirtualTokens = VirtualTokenConfig.Count(config), EncoderSize = (int)config.Number("encoder_hidden_size", 128) };
        method.CheckConfig(config, sites);
        return method;
    }

    /// <inheritdoc/>
    public override void WriteConfig(JsonObject config, IReadOnlyList<Site> sites)
    {
        VirtualTokenConfig.Write(config, VirtualTokens, sites);
        config["encoder_reparameterization_type"] = "MLP";
        config["encoder_hidden_size"] = EncoderSize;
        config["encoder_num_layers"] = 2; // peft's default, which its MLP ignores
        config["encoder_dropout"] = 0.0;
    }

    /// <inheritdoc/>
    public override void CheckConfig(AdapterConfig config, IReadOnlyList<Site> sites) => VirtualTokenConfig.Check(config, VirtualTokens, sites);
}
