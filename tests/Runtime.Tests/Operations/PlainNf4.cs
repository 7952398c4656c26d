using FlatPO.Recipes.Operations;

namespace FlatPO.Recipes.Tests.Operations;

/// <summary>
/// 4 bits with doubly quantised scales, number by number (arXiv 2305.14314, §3): every number is the level nearest to it times its block's largest magnitude; what those are off their mean
/// is the nearest of 256 steps times the largest of 256.
/// </summary>
internal sealed class PlainNf4
{
    private const int Block = 64, ScaleBlock = 256;

    internal PlainNf4(float[] numbers)
    {
        Count = numbers.Length;
        float[] scales = [.. numbers.Chunk(Block).Select(Largest)];
        byte[] codes = [.. numbers.Select((number, i) => Nearest(NormalFloat.Levels, Share(number, scales[i / Block])))];
        Packed = [.. codes.Chunk(2).Select(pair => (byte)((pair[0] << 4) | pair.ElementAtOrDefault(1)))];
        Offset = (float)scales.Average(scale => (double)scale);
        float[] off = [.. scales.Select(scale => scale - Offset)];
        Nested = [.. off.Chunk(ScaleBlock).Select(Largest)];
        Scales = [.. off.Select((number, i) => Nearest(NormalFloat.Steps, Share(number, Nested[i / ScaleBlock])))];
    }

    internal int Count { get; }

    internal byte[] Packed { get; }

    internal byte[] Scales { get; }

    internal float[] Nested { get; }

    internal float Offset { get; }

    internal float Scale(int block) => (NormalFloat.Steps[Scales[block]] * Nested[block / ScaleBlock]) + Offset;

    internal float[] Numbers() => [.. Enumerable.Range(0, Count).Select(i => NormalFloat.Levels[i % 2 == 0 ? Packed[i / 2] >> 4 : Packed[i / 2] & 15] * Scale(i / Block))];

    private static float Largest(float[] some) => some.Max(Math.Abs);

    private static float Share(float number, float largest) => largest == 0 ? 0 : number / largest;

    private static byte Nearest(IReadOnlyList<float> table, float x) => (byte)Enumerable.Range(0, table.Count).MinBy(i => Math.Abs((double)table[i] - x));
}
