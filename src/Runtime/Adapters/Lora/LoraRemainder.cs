using FlatPO.Recipes.Native;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Adapters.Lora;

/// <summary>
/// What a pair that begins as a part of its weight (PiSSA, OLoRA) leaves of it: W − s · B₀ A₀. The weight itself stays as it is, since others compute with it; the pair
/// subtracts the part it began as. Its file is that of a plain LoRA of twice the rank on W, as peft converts it (<c>subtract_mutated_init</c>): A' = [A; A₀], B' = [B, −B₀].
/// </summary>
internal sealed class LoraRemainder(Tensor a, Tensor b) : IDisposable
{
    private readonly Tensor a = a.clone().DetachFromDisposeScope(); // A₀, float32 [rank, in]
    private readonly Tensor b = b.clone().DetachFromDisposeScope(); // B₀, float32 [out, rank]

    /// <summary>B₀ A₀ x: float32 [..., in] to [..., out].</summary>
    internal Tensor Branch(Tensor x) => functional.linear(functional.linear(x, a), b);

    /// <summary>
    /// B A x − B₀ A₀ x, as (B − B₀) A x + B₀ (A − A₀) x: exactly nothing while the pair is as it began, however a product rounds, and no difference of large numbers later.
    /// </summary>
    internal Tensor Moved(Tensor x, (Tensor A, Tensor B) pair) =>
        functional.linear(functional.linear(x, pair.A), pair.B.sub(b)).Plus(functional.linear(functional.linear(x, pair.A.sub(a)), b));

    /// <summary>B A − B₀ A₀ in the same way, [out, in].</summary>
    internal Tensor Moved((Tensor A, Tensor B) pair) => pair.B.sub(b).mm(pair.A).Plus(b.mm(pair.A.sub(a)));

    /// <summary>A' in the file, [2 · rank, in]. Read from one, its second half takes the place of A₀: what was saved by another SVD comes back as it was.</summary>
    internal FileTensor FileA(TrainableTensor trained) => Beside(trained, 0, a, sign: 1);

    /// <summary>B' in the file, [out, 2 · rank].</summary>
    internal FileTensor FileB(TrainableTensor trained) => Beside(trained, 1, b, sign: -1);

    private static FileTensor Beside(TrainableTensor trained, int dimension, Tensor first, double sign)
    {
        long rank = trained.Shape[dimension];
        long[] shape = [.. trained.Shape];
        shape[dimension] = 2 * rank;
        return new FileTensor(trained.Name, shape, Write, Read);

        Tensor Write() => cat([trained.Value, first.mul(Scalars.Of(sign))], dimension);

        void Read(Tensor numbers)
        {
            trained.Value.copy_(numbers.narrow(dimension, 0, rank));
            first.copy_(numbers.narrow(dimension, rank, rank).mul(Scalars.Of(sign)));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        a.Dispose();
        b.Dispose();
    }
}
