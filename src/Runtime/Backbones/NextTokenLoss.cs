using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Operations;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones;

/// <summary>
/// Cross-entropy of a language model (transformers' <c>ForCausalLMLoss</c>) that never holds the logits of a whole batch. Where the head is frozen, the gradient of what it reads is known as soon
/// as the logits are: softmax less the truth, times the head's weight. So a chunk of positions at a time is computed, its gradient taken, and its logits forgotten, and
/// positions that teach nothing are left out.
/// </summary>
internal static class NextTokenLoss
{
    /// <summary>Logits held at once: 256 MiB in float32.</summary>
    internal const long ChunkNumbers = 1 << 26;

    /// <summary>
    /// The summed loss divided by <paramref name="predictions"/> (0-dim, float32, on the device), with a gradient where what the head reads has one. A <paramref name="chunk"/> is that many logits.
    /// </summary>
    internal static Tensor Of(HeadInput input, TokenBatch batch, Tensor predictions, long chunk = ChunkNumbers)
    {
        using var scope = NewDisposeScope();
        if (input.Head.IsTaken)
            return Predictions.OfNextToken(input.Logits(), batch.Labels).SummedLoss().div(predictions).MoveToOuterDisposeScope();
        Tensor targets = Targets(batch.Labels, input.Hidden.size(1));
        Tensor places = Supervised(targets, batch.Supervised > 0 ? Math.Max(batch.Supervised, batch.LossPlaces) : targets.size(0));
        Tensor read = input.Hidden.flatten(0, 1).index_select(0, places); // [n, width]
        Tensor? gradient = is_grad_enabled() && read.requires_grad ? empty_like(read, requires_grad: false) : null;
        Tensor loss = InChunks(read, input.Head, (targets.index_select(0, places), predictions, Math.Max(1, chunk * CrossEntropyChunk.Room(read) / input.Head.Out)), gradient);
        return (gradient is null ? loss : WithGradient(loss, read, gradient)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The token that each position of logits [rows, <paramref name="length"/>, vocabulary] predicts, in one dimension, from labels [rows, T]: a prompt's places come before them. The labels move one
    /// place to the left, not the logits: cutting a position off would copy [rows, T, vocabulary].
    /// </summary>
    internal static Tensor Targets(Tensor labels, long length)
    {
        using var scope = NewDisposeScope();
        Tensor none = full([labels.size(0), length - labels.size(1) + 1], Scalars.Of(TokenBatch.Unsupervised), dtype: ScalarType.Int64, device: labels.device);
        return cat([none, labels, none.narrow(1, 0, 1)], 1).narrow(1, 2, length).reshape(-1).MoveToOuterDisposeScope();
    }

    // The first so many places that have a target, then places that have none: int64 [count]. Their number is known on the host, so nothing waits for the device.
    private static Tensor Supervised(Tensor targets, long count)
    {
        using var scope = NewDisposeScope();
        Tensor places = Scalars.Positions(targets.size(0), targets.device), last = ones_like(targets).mul(Scalars.Of(targets.size(0)));
        return places.Plus(last.mul(Misses(targets))).argsort(0).narrow(0, 0, count).MoveToOuterDisposeScope();
    }

    private static Tensor Misses(Tensor targets) => targets.eq(Scalars.Of(TokenBatch.Unsupervised)).to_type(ScalarType.Int64);

    /// <summary>The loss; a gradient is filled with that of <paramref name="read"/> [n, width].</summary>
    private static Tensor InChunks(Tensor read, Projection head, (Tensor Targets, Tensor Predictions, long Step) of, Tensor? gradient)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor loss = zeros([], float32, read.device);
        for (long first = 0; first < read.size(0); first += of.Step)
        {
            using var chunk = NewDisposeScope();
            long length = Math.Min(of.Step, read.size(0) - first);
            Tensor Part(Tensor whole) => whole.narrow(0, first, length);
            Tensor logits = head.Base(Part(read)); // [length, vocabulary]
            if (CrossEntropyChunk.Add(loss, logits, (Part(of.Targets), of.Predictions), gradient is not null) is { } off)
                Part(gradient!).copy_(off.mm(head.Weight.Frozen));
        }
        return loss.div(of.Predictions).MoveToOuterDisposeScope();
    }

    // A loss whose gradient with respect to x is the given one: x · g less the same number.
    private static Tensor WithGradient(Tensor loss, Tensor x, Tensor gradient)
    {
        using var scope = NewDisposeScope();
        Tensor carrier = x.mul(gradient).sum(ScalarType.Float32);
        return loss.Plus(carrier.sub(carrier.detach())).MoveToOuterDisposeScope();
    }
}
