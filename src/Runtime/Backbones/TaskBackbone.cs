using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Native;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Backbones;

/// <summary>
/// A backbone with its task: which examples it learns from, how they become a batch and what it predicts of one. A task is one abstract class derived from
/// this one; training and evaluation know no more of it.
/// </summary>
public abstract class Backbone<TExample, TBatch>(WeightTable weights) : Backbone(weights)
    where TBatch : IBatch
{
    /// <summary>
    /// Throws where an example cannot be learned from on this backbone (FPO3006, FPO3011 to FPO3013), naming the example, before a kernel on the device
    /// stumbles over it. Rows are judged as they will be cut at <paramref name="maxLength"/> tokens; 0 cuts none.
    /// </summary>
    public abstract void Check(IReadOnlyList<TExample> examples, int maxLength);

    /// <summary>
    /// The examples as one batch on a device, rows cut at <paramref name="maxLength"/> tokens; 0 cuts none. Training calls it with the CPU, on another thread than the one that trains.
    /// </summary>
    public abstract TBatch Collate(IReadOnlyList<TExample> examples, int maxLength, Device device);

    /// <summary>The same on the backbone's device.</summary>
    public TBatch Collate(IReadOnlyList<TExample> examples, int maxLength) => Collate(examples, maxLength, Device);

    /// <summary>Whether it predicts something else of a row that is padded further, so that rows are padded no further than they must.</summary>
    public virtual bool CountsPadding => false;

    /// <summary>Everything the backbone predicts of a batch, beside what is true.</summary>
    public abstract Predictions Predict(TBatch batch);

    /// <summary>
    /// Cross-entropy of the batch's predictions, summed and divided by <paramref name="predictions"/> (0-dim, float32), which is 0-dim and float32 on the device: a step that is
    /// replayed divides by what lies there then.
    /// </summary>
    public virtual Tensor Loss(TBatch batch, Tensor predictions)
    {
        using var scope = NewDisposeScope();
        return Predict(batch).SummedLoss().div(predictions).MoveToOuterDisposeScope();
    }

    /// <summary>The same for a number of predictions known on the host.</summary>
    public Tensor Loss(TBatch batch, long predictions)
    {
        using Tensor count = Scalars.Count(predictions, Device);
        return Loss(batch, count);
    }
}

/// <summary>Predictions and the truth.</summary>
/// <param name="Logits">[predictions, classes], in the backbone's number format.</param>
/// <param name="Labels">int64 [predictions]: the class that is right; <see cref="TokenBatch.Unsupervised"/> where the prediction does not count.</param>
public readonly record struct Predictions(Tensor Logits, Tensor Labels)
{
    /// <summary>Cross-entropy summed over the predictions that count (0-dim, float32).</summary>
    internal Tensor SummedLoss() =>
        functional.cross_entropy(Logits.to_type(ScalarType.Float32), Labels, ignore_index: TokenBatch.Unsupervised, reduction: Reduction.Sum);

    /// <summary>
    /// Each position's prediction of the token behind it (transformers' <c>ForCausalLMLoss</c>), from logits [rows, P + T, vocabulary] and labels [rows, T], with P
    /// places of a prompt. The labels move one place to the left, not the logits: cutting a position off would copy [rows, T, vocabulary].
    /// </summary>
    internal static Predictions OfNextToken(Tensor logits, Tensor labels)
    {
        using var scope = NewDisposeScope();
        long vocabulary = logits.size(2);
        return new Predictions(logits.view(-1, vocabulary).MoveToOuterDisposeScope(), NextTokenLoss.Targets(labels, logits.size(1)).MoveToOuterDisposeScope());
    }
}
