using System.Globalization;

namespace FlatPO.Recipes.Generator.Model;

/// <summary>Bytes in the units a device's memory is sold in.</summary>
internal static class ByteSize
{
    /// <summary>Bytes of a GiB.</summary>
    public const double Gibi = 1L << 30;

    private const double Mebi = 1L << 20;

    /// <summary>14.2 GiB, or 383.1 MiB where it is less than one.</summary>
    public static string Text(double bytes) => bytes >= Gibi ? InGibi(bytes) : $"{Rounded(bytes / Mebi)} MiB";

    /// <summary>14.2 GiB, however little it is.</summary>
    public static string InGibi(double bytes) => $"{Rounded(bytes / Gibi)} GiB";

    private static string Rounded(double number) => number.ToString("0.0", CultureInfo.InvariantCulture);
}
