using static TorchSharp.torch;

namespace FlatPO.Recipes.Operations;

/// <summary>y = x Wᵀ + b with frozen weights in 4 bits, whose numbers are there for a product alone: in forward for y, in backward for dx = g W.</summary>
internal sealed class Nf4Linear(FrozenLinear frozen) : Operation
{
    protected override Tensor[] Forward(Tensor?[] inputs) => [frozen.Product(inputs[0]!)];

    protected override Tensor?[] Backward(Tensor?[] gradients)
    {
        Tensor gradient = gradients[0]!;
        return [frozen.InputGradient(gradient.reshape(-1, frozen.Out)).view([.. gradient.shape[..^1], frozen.In])];
    }
}
