using FlatPO.Recipes.Adapters.Bottleneck;

namespace FlatPO.Recipes;

/// <summary>
/// Bottleneck adapters: h + s · (U f(D h + b_D) + b_U) behind a linear layer's output h, before the residual is added, with D [size, out] random and U [out, size] zero at the
/// start. <see cref="AdapterAttribute.Sites"/> says whose: behind attention and feed-forward block as it stands (Houlsby et al., 2019), behind the feed-forward block alone with
/// <c>Sites = Sites.Down</c> (Pfeiffer et al., 2020).
/// </summary>
[RealizedBy(typeof(BottleneckMethod))]
[KeepsForBackward("out + 2 * Size")]
[AdapterTensor("bottleneck_down.weight", "Size", "out")]
[AdapterTensor("bottleneck_down.bias", "Size")]
[AdapterTensor("bottleneck_up.weight", "out", "Size")]
[AdapterTensor("bottleneck_up.bias", "out")]
[CannotMerge("what a bottleneck adds is no linear function of the layer's input")]
public sealed class BottleneckAttribute : AdapterAttribute
{
    /// <summary>The sites whose output passes a bottleneck, by role; the last layers of attention and of the feed-forward block unless said otherwise.</summary>
    [Default(Sites.Output | Sites.Down)]
    public override Sites Sites { get; set; } = Sites.Output | Sites.Down;

    /// <summary>Width of the bottleneck. Where a text gives a reduction factor, it is the layer's output width divided by that.</summary>
    [Bounds("FPO1043", Minimum = 1, Maximum = "out"), Default(64)]
    public int Size { get; set; } = 64;

    /// <summary>f, between the two layers.</summary>
    [Default(BottleneckActivation.Relu)]
    public BottleneckActivation Activation { get; set; }

    /// <summary>s, by which what the bottleneck adds is multiplied.</summary>
    [Bounds("FPO1006", Above = 0), Default(1.0)]
    public double Scale { get; set; } = 1;
}

/// <summary>The function inside a bottleneck adapter.</summary>
public enum BottleneckActivation
{
    /// <summary>max(0, x).</summary>
    Relu,

    /// <summary>x · Φ(x), with the exact Φ.</summary>
    Gelu,

    /// <summary>x · σ(x), also called swish.</summary>
    Silu,
}
