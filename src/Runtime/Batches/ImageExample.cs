namespace FlatPO.Recipes;

/// <summary>A labelled image.</summary>
/// <param name="Pixels">Channels × height × width numbers, row by row, normalised as the backbone expects.</param>
/// <param name="Shape">Its sizes.</param>
/// <param name="Label">The label's number, from 0.</param>
public sealed record ImageExample(float[] Pixels, ImageShape Shape, int Label);

/// <summary>Sizes of an image.</summary>
/// <param name="Channels">1 for grey, 3 for colour.</param>
/// <param name="Height">Rows of pixels.</param>
/// <param name="Width">Pixels of a row.</param>
public readonly record struct ImageShape(int Channels, int Height, int Width);
