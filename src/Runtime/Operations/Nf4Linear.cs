using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Operations;

/// <summary>y = x Wᵀ + b with a frozen W in 4 bits, which is dequantised for each product and forgotten behind it: in forward for y, in backward for dx = g W.</summary>
internal sealed class Nf4Linear(Nf4Matrix matrix) : Operation
{
    protected override Tensor[] Forward(Tensor?[] inputs)
    {
        Tensor x = inputs[0]!;
        return [functional.linear(x, matrix.Numbers(x.dtype), inputs[1])];
    }

    protected override Tensor?[] Backward(Tensor?[] gradients)
    {
        Tensor gradient = gradients[0]!;
        Tensor ofInput = gradient.reshape(-1, matrix.Shape[0]).mm(matrix.Numbers(gradient.dtype));
        return [ofInput.view([.. gradient.shape[..^1], matrix.Shape[1]]), null];
    }
}
