using System.Globalization;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Trainables;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters.Merging;

/// <summary>
/// Shows that merged weights are the adapted model, on the backbone itself: its frozen numbers stand aside for one pass, so that no second backbone is needed.
/// </summary>
internal static class MergeProof
{
    /// <summary>
    /// Throws FPO4015 where the logits of <paramref name="merged"/>, changed weights by name, are not those of the adapters beside the frozen weights: the length of the
    /// difference may be a share of the logits' own, 2⁻⁹ in float32, 2⁻⁶ in float16 and 2⁻³ in bfloat16. Rounding the merged weights costs 1 to 3 % in bfloat16 at 4 to 32 layers, and more
    /// where a network is nearly chaotic. The placement is unchanged.
    /// </summary>
    internal static void Require(AdapterPlacement placement, IReadOnlyDictionary<string, Tensor> merged)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Backbone backbone = placement.Backbone;
        bool training = backbone.Training;
        placement.Training = false;
        try
        {
            if (Adapted(placement) is not { } adapted || Merged(placement, merged) is not { } answer)
                return;
            double apart = Share(answer, adapted), allowed = Allowed(backbone.Weights.Dtype);
            if (!(apart <= allowed)) // NaN is not
                throw new RecipeException("FPO4015", string.Create(CultureInfo.InvariantCulture, $"merged into the weights of {backbone.Config.Path}, the adapters ({placement.Method?.PeftType ?? "none"}) do not give the adapted model: ")
                    + string.Create(CultureInfo.InvariantCulture, $"on a probe the logits differ by {apart:g3} of their length; allowed in {backbone.Weights.Dtype} is {allowed:g3}. Nothing was written; save the adapter instead, or load the backbone in a wider format"));
        }
        finally
        {
            placement.Training = training;
        }
    }

    private static Tensor? Adapted(AdapterPlacement placement)
    {
        foreach (Arena? arena in placement.Tensors.Select(tensor => tensor.Arena).Distinct())
            arena?.Copies.Refresh();
        Tensor?[] live = [.. placement.Tensors.Select(tensor => tensor.Bind(tensor.Value))];
        try
        {
            return placement.Backbone.Probe();
        }
        finally
        {
            foreach ((TrainableTensor tensor, Tensor? former) in placement.Tensors.Zip(live))
                tensor.Bind(former);
        }
    }

    private static Tensor? Merged(AdapterPlacement placement, IReadOnlyDictionary<string, Tensor> merged)
    {
        using MergedWeights weights = new(placement, merged, owned: false);
        return placement.Backbone.Probe();
    }

    /// <summary>‖x − y‖ / ‖y‖; 0 where they are the same, be they zero.</summary>
    private static double Share(Tensor x, Tensor y)
    {
        Tensor wide = y.to_type(ScalarType.Float64);
        double apart = x.to_type(ScalarType.Float64).sub(wide).norm().ToDouble();
        return apart == 0 ? 0 : apart / wide.norm().ToDouble();
    }

    private static double Allowed(ScalarType format) => Math.ScaleB(1, format switch
    {
        ScalarType.BFloat16 => -3,
        ScalarType.Float16 => -6,
        _ => -9,
    });
}
