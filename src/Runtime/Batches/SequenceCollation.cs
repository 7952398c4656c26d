using static TorchSharp.torch;

namespace FlatPO.Recipes.Batches;

public static partial class Collation
{
    /// <summary>Pads on the right to the longest row. Rows longer than <paramref name="maxLength"/> (0: no limit) are cut.</summary>
    public static SequenceBatch Sequences(IReadOnlyList<SequenceExample> examples, int maxLength, Device device)
    {
        int[] lengths = [.. examples.Select(example => maxLength > 0 ? Math.Min(maxLength, example.InputIds.Count) : example.InputIds.Count)];
        int rows = examples.Count, length = lengths.Max();
        long[,] ids = new long[rows, length], mask = new long[rows, length], types = new long[rows, length];
        for (int row = 0; row < rows; row++)
        {
            SequenceExample example = Checked(examples[row]);
            for (int column = 0; column < length; column++)
            {
                bool token = column < lengths[row];
                ids[row, column] = token ? example.InputIds[column] : PaddingId;
                mask[row, column] = token ? 1 : 0;
                types[row, column] = token ? example.TokenTypeIds?[column] ?? 0 : 0;
            }
        }
        return new SequenceBatch(
            tensor(ids, device: device),
            tensor(mask, device: device),
            tensor(types, device: device),
            tensor(examples.Select(example => (long)example.Label).ToArray(), device: device))
        {
            Padded = lengths.Any(tokens => tokens < length),
        };
    }

    private static SequenceExample Checked(SequenceExample example) =>
        example.InputIds.Count == 0
            ? throw new RecipeException("FPO3020", "a text has no tokens; at least 1 is needed")
        : example.TokenTypeIds is { } types && types.Count != example.InputIds.Count
            ? throw new RecipeException("FPO3020", $"a text has {example.InputIds.Count} tokens but {types.Count} token types; it needs one a token, or none at all")
        : example;
}
