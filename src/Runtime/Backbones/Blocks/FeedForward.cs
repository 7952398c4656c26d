using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>down(f(up(x))): the plain feed-forward block of OPT, ViT, BERT and CLIP.</summary>
internal sealed class FeedForward(Projection up, Projection down, Func<Tensor, Tensor> activation)
{
    internal Tensor Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return down.Forward(activation(up.Forward(x))).MoveToOuterDisposeScope(); // [..., hidden] → [..., wide] → [..., hidden]
    }
}

/// <summary>down(f(gate(x)) · up(x)): the gated feed-forward block (transformers <c>modeling_llama.py</c>, <c>LlamaMLP</c>).</summary>
internal sealed class GatedFeedForward(Projection gate, Projection up, Projection down, Func<Tensor, Tensor> activation)
{
    internal Tensor Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return down.Forward(activation(gate.Forward(x)).mul(up.Forward(x))).MoveToOuterDisposeScope();
    }
}
