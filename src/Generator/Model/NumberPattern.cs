using System.Globalization;
using System.Text.RegularExpressions;

namespace FlatPO.Recipes.Generator.Model;

/// <summary>
/// An entry <c>name=number</c> of a property that gives another one's number other values at single modules. The name is held against the end of the module path, from one of
/// its parts on, as a regular expression; the runtime reads it in the same way.
/// </summary>
internal sealed class NumberPattern
{
    private readonly Regex path;

    private NumberPattern(string name, double number, Regex path) => (Name, Number, this.path) = (name, number, path);

    public string Name { get; }

    public double Number { get; }

    /// <summary>The entry, or null where it is none.</summary>
    public static NumberPattern? Parse(string text)
    {
        int sign = text.LastIndexOf('=');
        if (sign < 1 || !double.TryParse(text.Substring(sign + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out double number) || double.IsNaN(number) || double.IsInfinity(number))
            return null;
        string name = text.Substring(0, sign);
        try
        {
            return new NumberPattern(name, number, new Regex($@"^(.*\.)?({name})$", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)));
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Whether the entry means this module.</summary>
    public bool Means(string module)
    {
        try
        {
            return path.IsMatch(module);
        }
        catch (RegexMatchTimeoutException)
        {
            return false; // the runtime gives up there too, and says so
        }
    }
}
