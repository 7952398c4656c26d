namespace FlatPO.Recipes.Examples.Digits;

/// <summary>A handwritten digit and which one it is.</summary>
public sealed record Digit(GreyImage Image, int Label)
{
    /// <summary>The digit after something happened to its image.</summary>
    public Digit With(Func<GreyImage, GreyImage> transform) => this with { Image = transform(Image) };

    /// <summary>What the model sees, (level − 0.5) / 0.5: <c>image_mean</c> and <c>image_std</c> of its preprocessor_config.json.</summary>
    public ImageExample ToExample() =>
        new([.. Image.Levels.Select(level => (level - 0.5f) / 0.5f)], new ImageShape(1, Image.Height, Image.Width), Label);
}
