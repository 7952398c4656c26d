namespace FlatPO.Recipes.Backbones;

/// <summary>A frozen norm's weight and bias, those of them that it has.</summary>
public sealed class NormSite(string module, string published, Weight? weight, Weight? bias) : Site(module, published, Sites.Norm)
{
    /// <summary>[width], where it has one.</summary>
    public Weight? Weight { get; } = weight;

    /// <summary>[width], where it has one.</summary>
    public Weight? Bias { get; } = bias;

    /// <inheritdoc/>
    public override long In => Out;

    /// <inheritdoc/>
    public override long Out => Weight?.Shape[0] ?? 0;

    internal override IReadOnlyList<(string Part, Weight Weight)> Parts => PartsOf(Weight, Bias);
}
