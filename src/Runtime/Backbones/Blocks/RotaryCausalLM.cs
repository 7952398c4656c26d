using FlatPO.Recipes.Batches;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>A family whose network is a <see cref="RotaryDecoder"/> of its own settings.</summary>
public abstract class RotaryCausalLM : CausalLM
{
    private readonly RotaryDecoder decoder;

    private protected RotaryCausalLM(WeightTable weights, RotaryDecoderSettings settings)
        : base(weights) => decoder = new RotaryDecoder(weights, settings);

    /// <inheritdoc/>
    public override bool CountsPadding => decoder.Rotary.DependsOnLength;

    /// <inheritdoc/>
    protected override InputSite? Inputs => decoder.Inputs;

    /// <inheritdoc/>
    protected override HeadInput? BeforeHead(TokenBatch batch) => decoder.BeforeHead(batch, Training);

    /// <inheritdoc/>
    public override Tensor NextLogits(DecoderPass pass) => decoder.NextLogits(pass);
}
