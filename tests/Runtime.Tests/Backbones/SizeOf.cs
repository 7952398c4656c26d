using System.Globalization;
using System.Text.RegularExpressions;
using FlatPO.Recipes.Checkpoints;

namespace FlatPO.Recipes.Tests.Backbones;

/// <summary>What a size expression of a backbone's declaration comes to under a configuration; null where a key it needs is missing.</summary>
internal sealed partial class SizeOf
{
    private readonly Queue<string> tokens;
    private readonly ModelConfig config;

    private SizeOf(string expression, ModelConfig config) => (tokens, this.config) = (new Queue<string>(Token().Matches(expression).Select(match => match.Value)), config);

    internal static long? Expression(string text, ModelConfig config)
    {
        SizeOf reader = new(text, config);
        long? value = reader.Coalesce();
        Assert.Empty(reader.tokens);
        return value;
    }

    private long? Coalesce()
    {
        long? value = Comparison();
        while (Take("??"))
            value = Comparison() is var fallback && value is null ? fallback : value;
        return value;
    }

    private long? Comparison()
    {
        long? value = Sum();
        if (Take("=="))
            return Sum() is { } equal && value is { } left ? (left == equal ? 1 : 0) : null;
        return !Take("!=") ? value : Sum() is { } other && value is { } right ? (right != other ? 1 : 0) : null;
    }

    private long? Sum()
    {
        long? value = Product();
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

    private long? Product()
    {
        long? value = Atom();
        while (true)
        {
            if (Take("*"))
                value *= Atom();
            else if (Take("/"))
                value /= Atom();
            else
                return value;
        }
    }

    private long? Atom()
    {
        string token = tokens.Dequeue();
        if (token == "(")
        {
            long? inner = Coalesce();
            Assert.True(Take(")"));
            return inner;
        }
        if (long.TryParse(token, CultureInfo.InvariantCulture, out long number))
            return number;
        if (token == "id2label.count")
            return config.Has("id2label") ? config.Labels : null;
        return Known(() => config.Flag(token) ? 1 : 0) ?? Known(() => config.Int(token))
            ?? (token.EndsWith(".0", StringComparison.Ordinal) ? Known(() => config.Extent(token[..^2]).Height) : null)
            ?? (token.EndsWith(".1", StringComparison.Ordinal) ? Known(() => config.Extent(token[..^2]).Width) : null);
    }

    private static long? Known(Func<long> read)
    {
        try
        {
            return read();
        }
        catch (RecipeException)
        {
            return null;
        }
    }

    private bool Take(string token)
    {
        if (!tokens.TryPeek(out string? next) || next != token)
            return false;
        tokens.Dequeue();
        return true;
    }

    [GeneratedRegex(@"\?\?|[=!]=|[\w.]+|[-+*/()]")]
    private static partial Regex Token();
}
