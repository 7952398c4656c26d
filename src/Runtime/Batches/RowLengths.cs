using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Batches;

/// <summary>An example with a row of tokens.</summary>
internal interface ITokenRow
{
    /// <summary>The row's ids.</summary>
    IReadOnlyList<int> InputIds { get; }
}

/// <summary>The lengths that rows of a run are padded to: few, so that batches come in few sizes.</summary>
/// <param name="Longest">Tokens of the run's longest row, which none is padded beyond; 0 where there are no rows.</param>
internal readonly record struct RowLengths(long Longest)
{
    /// <summary>How many lengths there are at most.</summary>
    internal const int Most = 8;

    // What the kernels of matrix products like sizes to be a multiple of.
    private const long Multiple = 8;

    // The parts of a batch that its loss is computed on.
    private const long Parts = 8;

    /// <summary>The lengths for these examples, cut at <paramref name="maxLength"/> tokens (0: none is).</summary>
    internal static RowLengths Of<TExample>(IReadOnlyList<TExample> examples, int maxLength)
    {
        int longest = examples.OfType<ITokenRow>().Select(example => example.InputIds.Count).DefaultIfEmpty().Max();
        return new RowLengths(maxLength > 0 ? Math.Min(maxLength, longest) : longest);
    }

    /// <summary>What a row of <paramref name="length"/> tokens is padded to.</summary>
    internal long For(long length) => length >= Longest ? length : Math.Min(Longest, UpTo(length, UpTo((Longest + Most - 1) / Most, Multiple)));

    /// <summary>How many of <paramref name="all"/> places the loss is computed on where <paramref name="supervised"/> teach: a number of eighths.</summary>
    internal static long LossPlaces(long supervised, long all) => Math.Min(all, UpTo(supervised, Math.Max(1, (all + Parts - 1) / Parts)));

    /// <summary>Rows [..., T] filled up on the right to [..., <paramref name="length"/>]; rows as long as that are the tensor itself.</summary>
    internal static Tensor Filled(Tensor rows, long length, long padding) =>
        rows.size(-1) >= length ? rows : functional.pad(rows, [0, length - rows.size(-1)], PaddingModes.Constant, padding);

    private static long UpTo(long number, long multiple) => (number + multiple - 1) / multiple * multiple;
}
