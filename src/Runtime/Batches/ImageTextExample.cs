using FlatPO.Recipes.Batches;

namespace FlatPO.Recipes;

/// <summary>An image and the text that describes it.</summary>
/// <param name="Pixels">Channels × height × width numbers, row by row, normalised as the backbone expects.</param>
/// <param name="Shape">The image's sizes.</param>
/// <param name="InputIds">The text's token ids, with the special tokens the backbone expects.</param>
public sealed record ImageTextExample(float[] Pixels, ImageShape Shape, IReadOnlyList<int> InputIds) : ITokenRow;
