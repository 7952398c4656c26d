using System.Globalization;

namespace FlatPO.Recipes.Generator.Model;

/// <summary>
/// A size: keys, numbers, <c>+ - * /</c> (division rounds down), <c>a == b</c> and <c>a != b</c> (1 or 0), <c>min(a, b)</c>, <c>a ?? b</c> for a key that is
/// missing or null, and parentheses. Keys may be dotted (<c>id2label.count</c>).
/// </summary>
internal sealed class SizeExpression
{
    private readonly string text;
    private readonly Func<string, double?> lookup;
    private int at;
    private string? missing;

    private SizeExpression(string text, Func<string, double?> lookup) => (this.text, this.lookup) = (text, lookup);

    /// <summary>The value of <paramref name="text"/>, with the key or the character it fails on.</summary>
    public static Size Evaluate(string text, Func<string, double?> lookup)
    {
        SizeExpression expression = new(text, lookup);
        double? value = expression.Coalesce();
        expression.SkipSpace();
        if (expression.at < text.Length)
            return new Size(null, null, $"'{text}' is not a size: unexpected '{text[expression.at]}'");
        return value is { } size ? new Size(size, null, null)
            : expression.missing is { } key ? new Size(null, key, null)
            : new Size(null, null, $"'{text}' is not a size");
    }

    private double? Coalesce()
    {
        string? missingBefore = missing;
        double? value = Comparison();
        while (Take("??"))
        {
            double? fallback = Coalesce();
            value ??= fallback;
        }
        if (value is not null)
            missing = missingBefore; // a key that was not needed is not missed
        return value;
    }

    private double? Comparison()
    {
        double? value = Sum();
        if (Take("=="))
            return Truth(value, Sum(), equal: true);
        return Take("!=") ? Truth(value, Sum(), equal: false) : value;
    }

    private static double? Truth(double? left, double? right, bool equal) =>
        left is { } a && right is { } b ? ((a == b) == equal ? 1 : 0) : null;

    private double? Sum()
    {
        double? value = Product();
        while (true)
        {
            if (Take("+"))
                value += Product();
            else if (Take("-"))
                value -= Product();
            else
                return value;
        }
    }

    private double? Product()
    {
        double? value = Atom();
        while (true)
        {
            if (Take("*"))
                value *= Atom();
            else if (Take("/"))
                value = Quotient(value, Atom());
            else
                return value;
        }
    }

    private static double? Quotient(double? dividend, double? divisor) =>
        dividend is { } over && divisor is { } under && under != 0 ? Math.Floor(over / under) : null;

    private double? Atom()
    {
        if (Take("("))
        {
            double? inner = Coalesce();
            return Take(")") ? inner : null;
        }
        SkipSpace();
        int start = at;
        while (at < text.Length && (char.IsLetterOrDigit(text[at]) || text[at] is '_' or '.'))
            at++;
        string word = text.Substring(start, at - start);
        if (word.Length == 0)
            return null;
        if (char.IsDigit(word[0]))
            return double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? number : null;
        return word == "min" && Take("(") ? Minimum() : Key(word);
    }

    private double? Minimum()
    {
        double? first = Coalesce();
        double? second = Take(",") ? Coalesce() : null;
        return Take(")") && first is { } a && second is { } b ? Math.Min(a, b) : null;
    }

    private double? Key(string key)
    {
        double? value = lookup(key);
        if (value is null)
            missing ??= key;
        return value;
    }

    private bool Take(string token)
    {
        SkipSpace();
        if (string.CompareOrdinal(text, at, token, 0, token.Length) != 0)
            return false;
        at += token.Length;
        return true;
    }

    private void SkipSpace()
    {
        while (at < text.Length && text[at] == ' ')
            at++;
    }
}

/// <summary>What an expression came to.</summary>
/// <param name="Value">The size.</param>
/// <param name="MissingKey">The key it wants and does not find.</param>
/// <param name="Error">Why it is no size.</param>
internal sealed record Size(double? Value, string? MissingKey, string? Error);
