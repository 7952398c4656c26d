using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters;

/// <summary>A site's own numbers as trainable tensors, from the checkpoint's.</summary>
internal static class TrainedParts
{
    /// <summary>Weight and bias, named as transformers names them.</summary>
    internal static TrainedWeights All(Site site, TrainableKind kind) => Of(site, kind, part => part);

    /// <summary>The parts for which <paramref name="name"/> gives a name behind the module path; null leaves one frozen.</summary>
    internal static TrainedWeights Of(Site site, TrainableKind kind, Func<string, string?> name) => new(
        [.. from own in site.Parts
            let called = name(own.Part)
            where called is not null
            select (own.Part, new TrainableTensor($"{site.Module}.{called}", site.Role, kind, Start(own.Weight)))]);

    private static Tensor Start(Weight weight)
    {
        using var scope = NewDisposeScope();
        return weight.Frozen.to_type(ScalarType.Float32, copy: true).MoveToOuterDisposeScope();
    }
}
