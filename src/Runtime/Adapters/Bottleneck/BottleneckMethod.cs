using System.Globalization;
using System.Text.Json.Nodes;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters.Bottleneck;

/// <summary>
/// Bottleneck adapters (arXiv 1902.00751; behind the feed-forward block alone, arXiv 2005.00247). peft has no such method: the folder has peft's layout, and what is in
/// it beside that is in docs/adapters.md.
/// </summary>
public sealed class BottleneckMethod : AdapterMethod<BottleneckBlock>
{
    internal const string Type = "BOTTLENECK";

    private const string SizeEntry = "bottleneck_size";
    private const string ActivationEntry = "activation";
    private const string ScaleEntry = "scale";

    private static readonly Dictionary<string, BottleneckActivation> Activations = new(StringComparer.Ordinal)
    {
        ["relu"] = BottleneckActivation.Relu,
        ["gelu"] = BottleneckActivation.Gelu,
        ["silu"] = BottleneckActivation.Silu,
    };

    /// <inheritdoc cref="BottleneckAttribute.Size"/>
    public int Size { get; init; } = 64;

    /// <inheritdoc cref="BottleneckAttribute.Activation"/>
    public BottleneckActivation Activation { get; init; }

    /// <inheritdoc cref="BottleneckAttribute.Scale"/>
    public double Scale { get; init; } = 1;

    /// <inheritdoc/>
    public override string PeftType => Type;

    /// <inheritdoc/>
    public override BottleneckBlock Place(Projection site, Generator random)
    {
        Bounds.CheckAll(typeof(BottleneckAttribute), this);
        if (Size > site.Out)
            throw new RecipeException("FPO1043", $"Size = {Size} is out of bounds at {site.Module} [{site.Out}, {site.In}]; allowed is at least 1 and at most {site.Out}");
        using var scope = NewDisposeScope();
        Tensor down = DenseStart.Uniform([Size, site.Out], 1 / Math.Sqrt(site.Out), random); // as a linear layer of PyTorch begins, and LoRA's A
        return new BottleneckBlock(Trained, (down, zeros(site.Out, Size)), this);

        TrainableTensor Trained(string name, Tensor initial) => new($"{site.Module}.{name}", site.Role, TrainableKind.Adapter, initial);
    }

    /// <summary>The method an adapter folder was trained with.</summary>
    public static BottleneckMethod From(AdapterConfig config, IReadOnlyList<Site> sites) => new()
    {
        Size = (int)config.Number(SizeEntry, 0) is > 0 and var size ? size : throw config.Invalid(SizeEntry, "the width of the bottleneck, a whole number of at least 1"),
        Activation = Named(config),
        Scale = config.Number(ScaleEntry, 1),
    };

    /// <inheritdoc/>
    public override void WriteConfig(JsonObject config, IReadOnlyList<Site> sites)
    {
        config[SizeEntry] = Size;
        config[ActivationEntry] = Activations.First(named => named.Value == Activation).Key;
        config[ScaleEntry] = Scale;
    }

    /// <inheritdoc/>
    public override void CheckConfig(AdapterConfig config, IReadOnlyList<Site> sites)
    {
        if (config.Number(SizeEntry, 0) != Size)
            throw config.Invalid(SizeEntry, $"{Size}, the width of this adapter's bottlenecks");
        if (Named(config) != Activation)
            throw config.Invalid(ActivationEntry, $"\"{Activations.First(named => named.Value == Activation).Key}\", the function of this adapter");
        if (config.Number(ScaleEntry, 1) != Scale)
            throw config.Invalid(ScaleEntry, string.Create(CultureInfo.InvariantCulture, $"{Scale}, the scale of this adapter"));
    }

    private static BottleneckActivation Named(AdapterConfig config) =>
        config.Text(ActivationEntry) is { } name && Activations.TryGetValue(name, out BottleneckActivation activation)
            ? activation
            : throw config.Invalid(ActivationEntry, $"one of {string.Join(", ", Activations.Keys)}");
}
