using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Operations;

/// <summary>A frozen linear layer's numbers, as they are or in 4 bits: of the latter each product makes the matrix anew and lets it go.</summary>
internal sealed class FrozenLinear
{
    private readonly Nf4Matrix? packed;

    internal FrozenLinear(Tensor weight, Tensor? bias) => (Weight, Bias, Out, In) = (weight, bias, weight.size(0), weight.size(1));

    internal FrozenLinear(Nf4Matrix packed, Tensor? bias) => (this.packed, Bias, Out, In) = (packed, bias, packed.Shape[0], packed.Shape[1]);

    /// <summary>[out, in]; null where it is held in 4 bits.</summary>
    internal Tensor? Weight { get; }

    /// <summary>[out], where there is one.</summary>
    internal Tensor? Bias { get; }

    internal long Out { get; }

    internal long In { get; }

    /// <summary>Whether it computes in x's number format.</summary>
    internal bool Takes(Tensor x) => Weight is null ? x.dtype == ScalarType.BFloat16 && (Bias is null || Bias.dtype == x.dtype) : Weight.dtype == x.dtype;

    /// <summary>x [..., in] to [..., out]; without a graph.</summary>
    internal Tensor Of(Tensor x) => With(x.dtype, weight => functional.linear(x, weight, Bias));

    /// <summary>The gradient of x [T, in] from that of the outputs [T, out].</summary>
    internal Tensor Back(Tensor gradient) => With(gradient.dtype, gradient.mm);

    private Tensor With(ScalarType format, Func<Tensor, Tensor> multiply)
    {
        if (Weight is not null)
            return multiply(Weight);
        using Tensor numbers = packed!.Numbers(format);
        return multiply(numbers);
    }
}
