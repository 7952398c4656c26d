using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Generation;

/// <summary>Continues texts on a backbone with its adapters.</summary>
public sealed class TextGenerator(AdapterPlacement placement, Arena arena)
{
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
        placement.Training = false;
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var live = arena.Bind();
        return run();
    }
}
