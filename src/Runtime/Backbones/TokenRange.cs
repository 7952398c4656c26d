using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;

namespace FlatPO.Recipes.Backbones;

/// <summary>The token ids a backbone knows, 0 to <paramref name="vocabulary"/> − 1, and how long a row may be.</summary>
internal readonly struct TokenRange(long vocabulary)
{
    /// <summary>The range of a configuration's <c>vocab_size</c> (or that of one of its towers: <c>text_config.vocab_size</c>).</summary>
    internal static TokenRange Of(ModelConfig config, string key = "vocab_size") => new(config.Int(key, int.MaxValue));

    /// <summary>Throws FPO3013 for an id the backbone has no vector for.</summary>
    internal void CheckIds(IReadOnlyList<int> ids, int row) => Check(ids, row, "token id", "", IsId);

    /// <summary>Throws FPO3013 for a label the backbone cannot predict.</summary>
    internal void CheckLabels(IReadOnlyList<int> labels, int row) => Check(labels, row, "label", $", and {TokenBatch.Unsupervised}", IsLabel);

    /// <summary>Throws FPO3006 for a row that is longer, once it is cut, than the backbone has positions for.</summary>
    internal static void CheckLength(int tokens, int maxLength, long? longest, int row)
    {
        int length = maxLength > 0 ? Math.Min(maxLength, tokens) : tokens;
        if (length > longest)
            throw new RecipeException("FPO3006", $"example {row} has {length} tokens; the backbone has positions for {longest}: set MaxLength to at most that");
    }

    private bool IsId(int id) => id >= 0 && id < vocabulary;

    private bool IsLabel(int label) => label == TokenBatch.Unsupervised || IsId(label);

    private void Check(IReadOnlyList<int> numbers, int row, string what, string besides, Func<int, bool> allowed)
    {
        foreach (int number in numbers)
            if (!allowed(number))
                throw new RecipeException("FPO3013", $"example {row} has {what} {number}; allowed are 0 to {vocabulary - 1}, the backbone's vocabulary{besides}");
    }
}
