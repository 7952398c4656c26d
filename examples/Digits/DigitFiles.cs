namespace FlatPO.Recipes.Examples.Digits;

/// <summary>The digits that come with the examples.</summary>
public static class DigitFiles
{
    /// <summary>Where the build puts them.</summary>
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "data");

    /// <summary>The 5,000 training digits, in the file's order.</summary>
    public static IReadOnlyList<Digit> Training() => Read("train");

    /// <summary>The 1,000 test digits, in the file's order.</summary>
    public static IReadOnlyList<Digit> Test() => Read("test");

    private static Digit[] Read(string part)
    {
        IdxFile images = IdxFile.Read(Path.Combine(Folder, $"digits-{part}-images-idx3-ubyte.gz"), dimensions: 3);
        IdxFile labels = IdxFile.Read(Path.Combine(Folder, $"digits-{part}-labels-idx1-ubyte.gz"), dimensions: 1);
        (int count, int height, int width) = (images.Sizes[0], images.Sizes[1], images.Sizes[2]);
        if (labels.Sizes[0] != count)
            throw new InvalidDataException($"{Folder}: digits-{part} has {count} images but {labels.Sizes[0]} labels");
        return [.. images.Elements.Chunk(height * width).Zip(labels.Elements, (pixels, label) => ToDigit(pixels, label))];

        Digit ToDigit(byte[] pixels, byte label) => new(new GreyImage(height, width, [.. pixels.Select(pixel => pixel / 255f)]), label);
    }
}
