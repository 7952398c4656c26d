using FlatPO.Recipes.Batches;
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
        long length = logits.size(1), vocabulary = logits.size(2);
        Tensor predictions = logits.narrow(1, 0, length - 1).reshape(-1, vocabulary).to_type(ScalarType.Float32);
        Tensor targets = batch.Labels.narrow(1, 1, length - 1).reshape(-1);
        Tensor total = functional.cross_entropy(predictions, targets, ignore_index: TokenBatch.Unsupervised, reduction: Reduction.Sum);
        return total.div(supervised).MoveToOuterDisposeScope();
    }
}
