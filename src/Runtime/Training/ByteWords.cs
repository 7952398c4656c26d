using System.Globalization;

namespace FlatPO.Recipes;

/// <summary>Numbers of bytes as people read them.</summary>
internal static class ByteWords
{
    private const double Step = 1024;

    private static readonly string[] Units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];

    /// <summary>In the largest unit of which there is one: <c>1.50 GiB</c>.</summary>
    internal static string Of(long bytes)
    {
        double number = bytes;
        int unit = 0;
        for (; number >= Step && unit < Units.Length - 1; unit++)
            number /= Step;
        return $"{number.ToString(unit == 0 ? "f0" : "f2", CultureInfo.InvariantCulture)} {Units[unit]}";
    }

    /// <summary>The number that such words say; null for other words.</summary>
    internal static long? Read(string number, string unit) =>
        Array.FindIndex(Units, known => known.Equals(unit, StringComparison.OrdinalIgnoreCase)) is >= 0 and var power && double.TryParse(number, CultureInfo.InvariantCulture, out double value)
            ? (long)(value * Math.Pow(Step, power))
            : null;
}
