using FlatPO.Recipes.Native;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Operations;

/// <summary>Cross-entropy of some rows of logits and its gradient at once. A kernel writes the gradient where the logits were; composed, float32 copies of them come and go.</summary>
internal static class CrossEntropyChunk
{
    private const string Source = "cross_entropy.cu";
    private const int MostThreads = 1024;
    private const int SharedByItself = 2048; // bytes of a block's shared memory that are left to its sums and to the driver
    private const int BytesComposed = 8; // of a logit: its logarithm, and what that is made from

    /// <summary>How many times the logits that fit in an amount of memory when composed are in flight in the same memory here, where <paramref name="like"/> says format and place.</summary>
    internal static long Room(Tensor like) => KernelFormat.Fits(like) ? BytesComposed / like.element_size() : 1;

    /// <summary>
    /// Adds the losses of logits [n, vocabulary], which are used up, to <paramref name="loss"/> (0-dim, float32). Rows whose target (int64 [n]) is negative have none. Where it is wanted the gradient of their
    /// sum divided by the count (0-dim, float32) comes back, in the logits' format.
    /// </summary>
    internal static Tensor? Add(Tensor loss, Tensor logits, (Tensor Targets, Tensor Count) of, bool wantsGradient)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        bool launches = KernelFormat.Fits(logits) && logits.is_contiguous();
        return (launches ? Launched(loss, logits, of, wantsGradient) : Composed(loss, logits, of, wantsGradient))?.MoveToOuterDisposeScope();
    }

    private static Tensor? Composed(Tensor loss, Tensor logits, (Tensor Targets, Tensor Count) of, bool wantsGradient)
    {
        Tensor wide = logits.to_type(ScalarType.Float32), logarithms = functional.log_softmax(wide, 1);
        wide.Dispose();
        Tensor counts = of.Targets.ge(Scalars.Of(0L)).to_type(ScalarType.Float32); // 1 where there is something to predict, else 0
        Tensor truth = of.Targets.clamp_min(Scalars.Of(0L)).unsqueeze(1);
        loss.sub_(logarithms.gather(1, truth).squeeze(1).mul(counts).sum());
        if (!wantsGradient)
            return null;
        Tensor shares = counts.div(of.Count).unsqueeze(1);
        Tensor off = logarithms.exp_().mul_(shares); // softmax less the truth, rounded as autograd would
        off.scatter_add_(1, truth, shares.neg());
        return off.to_type(logits.dtype);
    }

    private static Tensor? Launched(Tensor loss, Tensor logits, (Tensor Targets, Tensor Count) of, bool wantsGradient)
    {
        long rows = logits.size(0), vocabulary = logits.size(1);
        int pack = 16 / (int)logits.element_size();
        long held = Math.Min(vocabulary / pack, (Kernels.SharedMemory(logits) - SharedByItself) / 16);
        Tensor losses = empty([rows], ScalarType.Float32, logits.device);
        uint threads = Math.Min(MostThreads, KernelFormat.Warps(Math.Max(1, vocabulary / pack)));
        Kernel.Of(Source, $"cross_entropy_{KernelFormat.NameOf(logits.dtype)}").Launch(((uint)rows, 1, 1), threads, (uint)held * 16,
            logits, of.Targets.contiguous(), of.Count, losses, (int)vocabulary, (int)held, wantsGradient ? 1 : 0);
        loss.add_(losses.sum(), Scalars.One);
        return wantsGradient ? logits.alias() : null;
    }
}
