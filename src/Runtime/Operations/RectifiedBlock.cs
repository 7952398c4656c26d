using static TorchSharp.torch;

namespace FlatPO.Recipes.Operations;

/// <summary>
/// down(relu(up x)) with frozen layers that carry no adapter, where <see cref="RectifiedProduct"/> can be had: x [..., in] to [..., out]. It keeps a bit for each number in the middle.
/// </summary>
internal sealed class RectifiedBlock(FrozenLinear up, FrozenLinear down) : Operation
{
    private Tensor mask = null!;
    private long[] shape = null!;

    protected override Tensor[] Forward(Tensor?[] inputs)
    {
        shape = inputs[0]!.shape;
        (Tensor middle, Tensor open) = RectifiedProduct.Product(inputs[0]!.reshape(-1, shape[^1]), up);
        mask = Keep(open);
        return [down.Product(middle.view([.. shape[..^1], up.Out]))];
    }

    protected override Tensor?[] Backward(Tensor?[] gradients)
    {
        Tensor ofMiddle = down.InputGradient(gradients[0]!.reshape(-1, down.Out));
        RectifiedProduct.Close(ofMiddle, mask);
        return [up.InputGradient(ofMiddle).view(shape)];
    }
}
