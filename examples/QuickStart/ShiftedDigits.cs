using FlatPO.Recipes.Examples.Digits;

namespace FlatPO.Recipes.Examples.QuickStart;

/// <summary>The domain to adapt to: real digits the backbone has never seen, turned by 45° and black on white. It was trained on upright, white on black.</summary>
internal static class ShiftedDigits
{
    internal const double Degrees = 45;

    /// <summary>Examples of each class to learn from.</summary>
    internal const int Shots = 20;

    // Pretraining used the training digits before this one.
    private const int FirstUnseen = 4000;

    /// <summary>A few training digits of each class; the seed chooses them.</summary>
    internal static IReadOnlyList<ImageExample> FewShot(int seed)
    {
        Digit[] pool = [.. DigitFiles.Training().Skip(FirstUnseen)];
        new Random(seed).Shuffle(pool);
        return [.. pool.GroupBy(digit => digit.Label).OrderBy(group => group.Key).SelectMany(group => group.Take(Shots)).Select(digit => digit.With(Shift).ToExample())];
    }

    /// <summary>All test digits.</summary>
    internal static IReadOnlyList<ImageExample> HeldOut() => [.. DigitFiles.Test().Select(digit => digit.With(Shift).ToExample())];

    /// <summary>All test digits, a third of them noisy, a third blurred, a third partly covered. The same ones for every run.</summary>
    internal static IReadOnlyList<ImageExample> Corrupted()
    {
        Random random = new(0);
        return [.. DigitFiles.Test().Select((digit, i) => digit.With(image => Corrupt(Shift(image), i % 3, random)).ToExample())];
    }

    private static GreyImage Shift(GreyImage image) => image.Rotate(Degrees).Invert();

    private static GreyImage Corrupt(GreyImage image, int kind, Random random) => kind switch
    {
        0 => image.AddNoise(0.25, random),
        1 => image.Blur(radius: 1),
        _ => image.Occlude(size: 9, random),
    };
}
