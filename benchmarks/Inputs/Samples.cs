using FlatPO.Recipes;
using FlatPO.Recipes.Batches;

namespace Benchmarks;

/// <summary>Random examples of a full size.</summary>
internal static class Samples
{
    private const int SmallestVocabulary = 32_000;
    private const int EndOfText = 49_407; // CLIP's
    private const int VisionStart = 151_652, VisionEnd = 151_653, ImageToken = 151_655; // Qwen 2.5 VL's
    private const int Patches = 32, Merge = 2, NumbersOfAPatch = 1176;
    private const int TokensOfAnImage = Patches * Patches / (Merge * Merge), BeforeImage = 3, BehindImage = BeforeImage + TokensOfAnImage + 2;
    private const int Unsupervised = (int)TokenBatch.Unsupervised;

    private static readonly Random Random = new(1);

    internal static TokenExample[] Texts(int count, int length) => Many(count, _ => new TokenExample(Ids(length)));

    internal static SequenceExample[] Verdicts(int count, int length) => Many(count, i => new SequenceExample(Ids(length), i % 2));

    internal static ImageExample[] Images(int count, int size) => Many(count, i => new ImageExample(Numbers(3 * size * size), new ImageShape(3, size, size), i % 2));

    internal static ImageTextExample[] Pairs(int count, int size, int length) =>
        Many(count, _ => new ImageTextExample(Numbers(3 * size * size), new ImageShape(3, size, size), [.. Ids(length - 1), EndOfText]));

    /// <summary>Rows of a few tokens, one image of 32 × 32 patches, which is 256 tokens, and text.</summary>
    internal static MultimodalExample[] Captions(int count, int length) => Many(count, _ => new MultimodalExample(
        [.. Ids(BeforeImage), VisionStart, .. Enumerable.Repeat(ImageToken, TokensOfAnImage), VisionEnd, .. Ids(length - BehindImage)],
        [new ImagePatches(Numbers(Patches * Patches * NumbersOfAPatch), new PatchGrid(1, Patches, Patches))]));

    /// <summary>The same, with nothing to learn before the image's end.</summary>
    internal static MultimodalExample[] Answers(int count, int length) =>
        [.. Captions(count, length).Select(row => row with { Labels = [.. Enumerable.Repeat(Unsupervised, BehindImage), .. row.InputIds.Skip(BehindImage)] })];

    private static T[] Many<T>(int count, Func<int, T> make) => [.. Enumerable.Range(0, count).Select(make)];

    private static int[] Ids(int length) => Many(length, _ => Random.Next(5, SmallestVocabulary));

    private static float[] Numbers(int count) => Many(count, _ => Random.NextSingle());
}
