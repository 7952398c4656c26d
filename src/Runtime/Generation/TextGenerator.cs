using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Generation;

/// <summary>Continues texts on a backbone with its adapters.</summary>
public sealed class TextGenerator
{
    private readonly Action rest;
    private readonly Func<Arena.PassScope> bind;

    /// <summary>With what is placed, its numbers in <paramref name="arena"/>.</summary>
    public TextGenerator(AdapterPlacement placement, Arena arena) => (rest, bind) = (() => placement.Training = false, arena.Bind);

    /// <summary>With whichever adapter of <paramref name="adapters"/> is active, or none.</summary>
    public TextGenerator(AdapterCollection adapters) => (rest, bind) = (() => adapters.Training = false, adapters.Bind);

    /// <inheritdoc cref="Decoding.Generate(CausalLM, IReadOnlyList{IReadOnlyList{int}}, GenerationSettings?, IProgress{GeneratedToken}?, CancellationToken)"/>
    public IReadOnlyList<Completion> Generate(
        CausalLM backbone, IReadOnlyList<IReadOnlyList<int>> prompts, GenerationSettings? settings, IProgress<GeneratedToken>? progress, CancellationToken cancellation) =>
        Bound(() => backbone.Generate(prompts, settings, progress, cancellation));

    /// <inheritdoc cref="Decoding.Generate(MultimodalLM, IReadOnlyList{MultimodalExample}, GenerationSettings?, IProgress{GeneratedToken}?, CancellationToken)"/>
    public IReadOnlyList<Completion> Generate(
        MultimodalLM backbone, IReadOnlyList<MultimodalExample> prompts, GenerationSettings? settings, IProgress<GeneratedToken>? progress, CancellationToken cancellation) =>
        Bound(() => backbone.Generate(prompts, settings, progress, cancellation));

    private T Bound<T>(Func<T> run)
    {
        rest();
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var live = bind();
        return run();
    }
}
