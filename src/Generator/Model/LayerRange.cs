using System.Globalization;

namespace FlatPO.Recipes.Generator.Model;

/// <summary>A C# range of layers: <c>8..16</c>, <c>..4</c>, <c>^4..</c>.</summary>
internal sealed record LayerRange(LayerRange.Bound Start, LayerRange.Bound End)
{
    /// <summary>One end of a range.</summary>
    internal sealed record Bound(int Number, bool FromEnd)
    {
        public int In(int layers) => FromEnd ? layers - Number : Number;
    }

    /// <summary>The range written in <paramref name="text"/>, or null if it is none.</summary>
    public static LayerRange? Parse(string text)
    {
        int dots = text.IndexOf("..", StringComparison.Ordinal);
        if (dots < 0)
            return null;
        Bound? start = ParseBound(text.Substring(0, dots).Trim(), new Bound(0, FromEnd: false));
        Bound? end = ParseBound(text.Substring(dots + 2).Trim(), new Bound(0, FromEnd: true));
        return start is null || end is null ? null : new LayerRange(start, end);
    }

    /// <summary>The range moved until it lies in the layers that exist, as long as it was if they are enough; every layer where it is empty.</summary>
    public string MovedInto(int layers)
    {
        int start = Start.In(layers), end = End.In(layers), length = end - start;
        if (length <= 0 || length >= layers)
            return "..";
        int first = Math.Max(0, Math.Min(start, layers - length));
        return $"{first.ToString(CultureInfo.InvariantCulture)}..{(first + length).ToString(CultureInfo.InvariantCulture)}";
    }

    private static Bound? ParseBound(string text, Bound open)
    {
        if (text.Length == 0)
            return open;
        bool fromEnd = text[0] == '^';
        return int.TryParse(fromEnd ? text.Substring(1) : text, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? new Bound(number, fromEnd)
            : null;
    }
}
