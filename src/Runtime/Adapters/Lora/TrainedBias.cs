using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters.Lora;

/// <summary>
/// A site's own bias b₀, trained to b (peft's <c>bias = "lora_only"</c>). The backbone keeps b₀, since others compute with it: what is added to its output is b − b₀, in
/// float32 beside the branch, where bfloat16 does not round the perturbation away.
/// </summary>
internal sealed class TrainedBias(TrainableTensor trained, Projection site)
{
    /// <summary>b, [out].</summary>
    internal TrainableTensor Trained { get; } = trained;

    /// <summary>added [..., out] and b − b₀.</summary>
    internal Tensor AddTo(Tensor added) => added.Plus(Trained.Live.sub(Start(site)));

    /// <summary>b₀, float32 [out].</summary>
    internal static Tensor Start(Projection site) => site.Bias!.Frozen.to_type(ScalarType.Float32);
}
