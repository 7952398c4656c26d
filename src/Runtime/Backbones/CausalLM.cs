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

    /// <summary>Tokens of the longest row the network can take; null where its positions are computed and have no end.</summary>
    public virtual long? LongestRow => null;

    /// <summary>
    /// Throws FPO3013 for an id or label outside the vocabulary and FPO3006 for a row (cut at <paramref name="maxLength"/>, 0: not cut) that is too long,
    /// before a kernel on the device stumbles over it.
    /// </summary>
    public void Check(IReadOnlyList<TokenExample> examples, int maxLength)
    {
        long vocabulary = Config.Int("vocab_size", int.MaxValue);
        for (int row = 0; row < examples.Count; row++)
        {
            TokenExample example = examples[row];
            if (example.InputIds.Where(id => id < 0 || id >= vocabulary).Take(1).ToArray() is [int id])
                throw new RecipeException("FPO3013", $"example {row} has token id {id}; allowed are 0 to {vocabulary - 1}, the backbone's vocabulary");
            if (example.Labels?.Where(label => label != TokenBatch.Unsupervised && (label < 0 || label >= vocabulary)).Take(1).ToArray() is [int label])
                throw new RecipeException("FPO3013", $"example {row} has label {label}; allowed are 0 to {vocabulary - 1}, the backbone's vocabulary, and {TokenBatch.Unsupervised}");
            int length = maxLength > 0 ? Math.Min(maxLength, example.InputIds.Count) : example.InputIds.Count;
            if (length > LongestRow)
                throw new RecipeException("FPO3006", $"example {row} has {length} tokens; the backbone has positions for {LongestRow}: set MaxLength to at most that");
        }
    }

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
