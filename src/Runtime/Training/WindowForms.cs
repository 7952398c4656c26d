using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Training;

/// <summary>A window as what a recorded step reads: its signature, its copy that stays, and how that takes the numbers of another.</summary>
internal static class WindowForms
{
    /// <summary>Windows of one signature run the same kernels on tensors of the same sizes.</summary>
    internal static string Signature<TBatch>(this Window<TBatch> window)
        where TBatch : IBatch => string.Join(" | ", window.Batches.Select(batch => $"{batch.Signature}: {string.Join(' ', batch.Tensors.Select(Size))}"));

    /// <summary>The micro-batches in one size, of which a run has few.</summary>
    internal static IReadOnlyList<TBatch> Rounded<TBatch>(this IReadOnlyList<TBatch> batches, RowLengths lengths)
        where TBatch : IBatch
    {
        (long length, long supervised) = (lengths.For(batches.Max(batch => batch.Length)), batches.Max(batch => batch.Supervised));
        return [.. batches.Select(batch => (TBatch)batch.Rounded(length, supervised))];
    }

    /// <summary>A window with tensors of its own, which outlive the current dispose scope.</summary>
    internal static Window<TBatch> Held<TBatch>(this Window<TBatch> window, Device device, IPassWatch watch)
        where TBatch : IBatch => new([.. window.Batches.Select(batch => (TBatch)batch.Each(tensor => tensor.clone().DetachFromDisposeScope()))], window.Draws)
        {
            Predictions = Scalars.Count(window.Supervised, device).DetachFromDisposeScope(),
            Watch = watch,
        };

    /// <summary>Takes over the numbers of a window of the same signature. Nothing waits for the device.</summary>
    internal static void Take<TBatch>(this Window<TBatch> held, Window<TBatch> next)
        where TBatch : IBatch
    {
        using var noGrad = no_grad();
        foreach ((TBatch into, TBatch from) in held.Batches.Zip(next.Batches))
            foreach ((Tensor target, Tensor source) in into.Tensors.Zip(from.Tensors))
                target.copy_(source, true);
        using TorchSharp.Scalar count = TorchSharp.ScalarExtensionMethods.ToScalar(next.Supervised);
        held.Predictions!.fill_(count);
    }

    /// <summary>Lets go of a held window's tensors.</summary>
    internal static void Release<TBatch>(this Window<TBatch> held)
        where TBatch : IBatch
    {
        foreach (TBatch batch in held.Batches)
            batch.Dispose();
        held.Predictions!.Dispose();
    }

    private static string Size(Tensor tensor) => $"{tensor.dtype}[{string.Join(',', tensor.shape)}]";
}
