using System.Globalization;
using System.Text.RegularExpressions;

namespace FlatPO.Recipes.Adapters.Config;

/// <summary>
/// A setting's number at single modules (peft's <c>rank_pattern</c> and <c>alpha_pattern</c>): entries <c>name=number</c>, of which the first whose name means the
/// module counts. A name is the end of a module path, from one of its parts on, or a regular expression for one (<c>utils/other.py</c>, <c>get_pattern_key</c>).
/// </summary>
internal sealed class NumberPattern
{
    private readonly (string Name, double Number, Regex Path)[] entries;

    private NumberPattern(IReadOnlyList<string> texts, (string, double, Regex)[] entries) => (Texts, this.entries) = (texts, entries);

    /// <summary>No entry.</summary>
    internal static NumberPattern None { get; } = new([], []);

    /// <summary>The entries as they were written.</summary>
    internal IReadOnlyList<string> Texts { get; }

    /// <summary>The entries of a setting. Throws FPO1031 at one that is no <c>name=number</c>.</summary>
    internal static NumberPattern Parse(string setting, IReadOnlyList<string> texts) => new([.. texts], [.. texts.Select(text => Entry(setting, text))]);

    /// <summary>An object of numbers in adapter_config.json; FPO4011 where its names cannot be used.</summary>
    internal static NumberPattern Read(AdapterConfig config, string key)
    {
        try
        {
            return Parse(key, [.. config.Numbers(key).Select(entry => string.Create(CultureInfo.InvariantCulture, $"{entry.Key}={entry.Value}"))]);
        }
        catch (RecipeException error) when (error.Id == "FPO1031")
        {
            throw config.Invalid(key, "names of modules or regular expressions for them, with a number each");
        }
    }

    /// <summary>The number at a module; null where no entry means it.</summary>
    internal double? At(string module) => entries.FirstOrDefault(entry => entry.Path.IsMatch(module)) is { Path: not null } found ? found.Number : null;

    /// <summary>Names and numbers, the first of each name.</summary>
    internal IEnumerable<(string Name, double Number)> Entries => entries.DistinctBy(entry => entry.Name).Select(entry => (entry.Name, entry.Number));

    private static (string Name, double Number, Regex Path) Entry(string setting, string text)
    {
        int sign = text.LastIndexOf('=');
        if (sign < 1 || !double.TryParse(text.AsSpan(sign + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out double number) || !double.IsFinite(number))
            throw new RecipeException("FPO1031", $"{setting}: '{text}' is no name=number; write it as \"up_proj=4\" or \"layers.0.self_attn.q_proj=16\"");
        try
        {
            return (text[..sign], number, new Regex($@"^(.*\.)?({text[..sign]})$", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)));
        }
        catch (ArgumentException error)
        {
            throw new RecipeException("FPO1031", $"{setting}: '{text}' is no name=number: {error.Message}", error);
        }
    }
}
