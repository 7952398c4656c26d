using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones;

/// <summary>What a decoder reads in one pass of a generation: the tokens of its texts that the cache does not hold yet.</summary>
/// <param name="ids">int64 [rows, S]: the texts so far, padded on the left so that all end together.</param>
/// <param name="attentionMask">int64 [rows, S]: 1 for a token, 0 for padding.</param>
/// <param name="isPadded">Whether some row is padded, known on the host.</param>
/// <param name="cache">What earlier passes left; the pass adds to it.</param>
public sealed class DecoderPass(Tensor ids, Tensor attentionMask, bool isPadded, KeyValueCache cache)
{
    /// <summary>int64 [rows, S]: the texts so far, padded on the left so that all end together.</summary>
    public Tensor Ids { get; } = ids;

    /// <summary>int64 [rows, S]: 1 for a token, 0 for padding.</summary>
    public Tensor AttentionMask { get; } = attentionMask;

    /// <summary>Whether some row is padded, known on the host.</summary>
    public bool IsPadded { get; } = isPadded;

    /// <summary>What earlier passes left; the pass adds to it.</summary>
    public KeyValueCache Cache { get; } = cache;

    /// <summary>Place of the first new token.</summary>
    public long First { get; } = cache.Length;

    /// <summary>S: places so far. The longest row has no padding, so that it has as many tokens.</summary>
    public long Length => Ids.size(1);

    /// <summary>int64 [rows, T]: the ids from <see cref="First"/> on.</summary>
    public Tensor NewIds => Ids.narrow(1, First, Length - First);
}
