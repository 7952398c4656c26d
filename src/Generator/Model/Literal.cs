using System.Globalization;

namespace FlatPO.Recipes.Generator.Model;

/// <summary>Every value that reaches emitted code or a suggestion passes here: invariant culture, exact, and as a person would write it.</summary>
internal static class Literal
{
    /// <summary>A double: 0.0001, 8, 1e-8.</summary>
    public static string Of(double value)
    {
        if (value == 0)
            return "0";
        string shortest = value.ToString("R", CultureInfo.InvariantCulture);
        double size = Math.Abs(value);
        if (size is >= 1e-4 and < 1e15)
            return decimal.TryParse(shortest, NumberStyles.Float, CultureInfo.InvariantCulture, out decimal plain) ? plain.ToString("0.############################", CultureInfo.InvariantCulture) : shortest;
        return Scientific(shortest);
    }

    /// <summary>An integer in a comment or a long constant: 6_144.</summary>
    public static string Grouped(long value) => value.ToString("#,0", CultureInfo.InvariantCulture).Replace(',', '_');

    /// <summary>An integer in prose: 6,144.</summary>
    public static string InWords(long value) => value.ToString("#,0", CultureInfo.InvariantCulture);

    /// <summary>A text inside an XML comment.</summary>
    public static string InXml(string text) => text.Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;").Replace('\r', ' ').Replace('\n', ' ');

    /// <summary>A text with its quotes.</summary>
    public static string Of(string text)
    {
        string escaped = string.Concat(text.Select(character => character switch
        {
            '"' => "\\\"",
            '\\' => "\\\\",
            < ' ' or '\u2028' or '\u2029' or '\u0085' => $"\\u{((int)character).ToString("x4", CultureInfo.InvariantCulture)}",
            _ => character.ToString(),
        }));
        return $"\"{escaped}\"";
    }

    /// <summary>A property's value in the property's own type; <paramref name="word"/> names an enum type.</summary>
    public static string Of(Constant value, PropertyValue property, Func<string, string> word) => value.Kind switch
    {
        ConstantKind.Boolean => value.Number != 0 ? "true" : "false",
        ConstantKind.Text => Of(value.Text),
        ConstantKind.Texts => $"[{string.Join(", ", value.Items.Select(Of))}]",
        ConstantKind.Enum => OfEnum((long)value.Number, property, word(property.Type)),
        ConstantKind.Integer => ((long)value.Number).ToString(CultureInfo.InvariantCulture),
        _ => property.Type == "float" ? $"{Of(value.Number)}f" : Of(value.Number),
    };

    private static string OfEnum(long value, PropertyValue property, string type)
    {
        if (property.Members.FirstOrDefault(member => member.Value == value) is { } exact)
            return $"{type}.{exact.Name}";
        string[] flags = [.. property.Members.Where(member => member.Value != 0 && (member.Value & (member.Value - 1)) == 0 && (member.Value & value) != 0).Select(member => $"{type}.{member.Name}")];
        return flags.Length > 0 ? string.Join(" | ", flags) : $"({type}){value.ToString(CultureInfo.InvariantCulture)}";
    }

    /// <summary>.NET writes 1E-08; C# readers write 1e-8.</summary>
    private static string Scientific(string shortest)
    {
        int mark = shortest.IndexOf('E');
        if (mark < 0)
            return shortest;
        int exponent = int.Parse(shortest.Substring(mark + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        return $"{shortest.Substring(0, mark)}e{exponent.ToString(CultureInfo.InvariantCulture)}";
    }
}
