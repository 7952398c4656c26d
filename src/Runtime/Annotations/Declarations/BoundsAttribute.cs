namespace FlatPO.Recipes;

/// <summary>
/// The values a property of an annotation may take. The compiler checks the value written in the attribute, <see cref="Bounds.Check"/> a value
/// given at run time: one declaration, one id.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class BoundsAttribute(string id) : Attribute
{
    /// <summary>The diagnostic id of a value out of bounds.</summary>
    public string Id { get; } = id;

    /// <summary>Smallest allowed value; NaN for none.</summary>
    public double Minimum { get; set; } = double.NaN;

    /// <summary>The value must be larger than this; NaN for none.</summary>
    public double Above { get; set; } = double.NaN;

    /// <summary>The value must be smaller than this; NaN for none.</summary>
    public double Below { get; set; } = double.NaN;

    /// <summary>
    /// Largest allowed value, a number or an expression over a site's sizes (<c>min(in, out)</c>), which is checked at every site the adapter takes.
    /// </summary>
    public string? Maximum { get; set; }
}
