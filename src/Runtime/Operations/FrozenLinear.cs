using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Operations;

/// <summary>
/// A frozen linear layer's numbers, or those of several that read the same input, one behind the other: in full, or in 4 bits, of which every product makes numbers of its own and forgets
/// them.
/// </summary>
internal sealed class FrozenLinear : IDisposable
{
    private readonly Tensor? full;
    private readonly IReadOnlyList<Nf4Matrix> packed;

    private FrozenLinear(Tensor? full, IReadOnlyList<Nf4Matrix> packed, Tensor? bias) => (this.full, this.packed, Bias) = (full, packed, bias);

    /// <summary>A weight [out, in] and a bias [out], where there is one.</summary>
    internal FrozenLinear(Tensor weight, Tensor? bias)
        : this(weight, [], bias)
    {
    }

    /// <summary>Weights in 4 bits, [out_i, in] each.</summary>
    internal FrozenLinear(IReadOnlyList<Nf4Matrix> packed, Tensor? bias)
        : this(null, packed, bias)
    {
    }

    /// <summary>b, [out], where there is one.</summary>
    internal Tensor? Bias { get; }

    /// <summary>Width of the output.</summary>
    internal long Out => full?.size(0) ?? packed.Sum(matrix => matrix.Shape[0]);

    /// <summary>Width of the input.</summary>
    internal long In => full?.size(1) ?? packed[0].Shape[1];

    /// <summary>The format of the inputs it is for.</summary>
    internal ScalarType Format => full?.dtype ?? Nf4Matrix.Format;

    /// <summary>x Wᵀ + b, with a gradient of x where it has one: [..., in] to [..., out].</summary>
    internal Tensor Forward(Tensor x) => full is null ? new Nf4Linear(this).Run(x)[0] : Ops.Linear(x, full, Bias);

    /// <summary>The same for an operation that has a backward of its own.</summary>
    internal Tensor Product(Tensor x)
    {
        using var scope = NewDisposeScope();
        return Ops.Linear(x, Numbers(x.dtype), Bias).MoveToOuterDisposeScope();
    }

    /// <summary>The gradient of the input, g W: [T, out] to [T, in].</summary>
    internal Tensor InputGradient(Tensor gradient)
    {
        using var scope = NewDisposeScope();
        return gradient.mm(Numbers(gradient.dtype)).MoveToOuterDisposeScope();
    }

    /// <summary>W in a format, [out, in]: its own numbers, or those made of 4 bits, which are the caller's.</summary>
    internal Tensor Numbers(ScalarType dtype)
    {
        if (full is not null)
            return full;
        if (packed.Count == 1)
            return packed[0].Numbers(dtype);
        Tensor all = empty([Out, In], dtype, packed[0].Device);
        long first = 0;
        foreach (Nf4Matrix matrix in packed)
        {
            using var scope = NewDisposeScope();
            matrix.WriteTo(all.narrow(0, first, matrix.Shape[0]));
            first += matrix.Shape[0];
        }
        return all;
    }

    /// <summary>Releases the numbers held in full; those in 4 bits are the layers'.</summary>
    public void Dispose()
    {
        full?.Dispose();
        Bias?.Dispose();
    }
}
