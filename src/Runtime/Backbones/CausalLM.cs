using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Native;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Backbones;

/// <summary>A decoder that predicts the next token.</summary>
public abstract class CausalLM(WeightTable weights) : Backbone(weights)
{
    /// <summary>Logits of every position: [rows, T, vocabulary].</summary>
    public abstract Tensor Logits(TokenBatch batch);

    /// <summary>
    /// Cross-entropy of each label given the tokens before it, summed and divided by <paramref name="supervised"/> (0-dim, float32):
    /// the mean of transformers' <c>ForCausalLMLoss</c> when that is the batch's own count.
    /// </summary>
    public Tensor Loss(TokenBatch batch, long supervised)
    {
        using var scope = NewDisposeScope();
        Tensor logits = Logits(batch);
        long rows = logits.size(0), length = logits.size(1), vocabulary = logits.size(2);
        // the labels move one place to the left, not the logits: cutting a position off would copy [rows, T, vocabulary]
        Tensor end = full([rows, 1], Scalars.Of(TokenBatch.Unsupervised), dtype: ScalarType.Int64, device: logits.device);
        Tensor targets = cat([batch.Labels.narrow(1, 1, length - 1), end], 1).view(-1);
        Tensor predictions = logits.view(-1, vocabulary).to_type(ScalarType.Float32);
        Tensor total = functional.cross_entropy(predictions, targets, ignore_index: TokenBatch.Unsupervised, reduction: Reduction.Sum);
        return total.DividedBy(supervised).MoveToOuterDisposeScope();
    }
}
