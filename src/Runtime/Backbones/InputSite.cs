namespace FlatPO.Recipes.Backbones;

/// <summary>Where vectors enter the layers of a tower.</summary>
public sealed class InputSite(string module, InputShape shape) : Site(module, module, Sites.Inputs)
{
    /// <summary>Sizes of what enters.</summary>
    public InputShape Shape { get; } = shape;

    /// <summary>Width of a layer's keys; 0 where its layers take no prefix.</summary>
    public override long In => Shape.KeyValueHeads * Shape.HeadWidth;

    /// <summary>Width of a vector.</summary>
    public override long Out => Shape.Width;

    /// <summary>The table whose vectors enter; null where patches do.</summary>
    public EmbeddingSite? Table { get; internal set; }

    /// <summary>What stands before the tokens or patches, if anything.</summary>
    public InputAdapter? Adapter => Occupant as InputAdapter;

    /// <summary>How many places that takes.</summary>
    public int Places => Adapter?.Places ?? 0;
}

/// <summary>Sizes of the layers that vectors enter.</summary>
/// <param name="Width">Of a vector.</param>
/// <param name="Layers">How many layers.</param>
/// <param name="Heads">Heads of their queries.</param>
/// <param name="KeyValueHeads">Heads of a layer's keys and values; 0 where its layers take no prefix.</param>
/// <param name="HeadWidth">Width of one head.</param>
public sealed record InputShape(long Width, long Layers, long Heads, long KeyValueHeads = 0, long HeadWidth = 0);
