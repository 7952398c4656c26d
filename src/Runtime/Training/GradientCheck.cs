using System.Reflection;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Training;

/// <summary>
/// Looks, once a run, whether the first window's loss depends on every trained tensor: one that it does not would stay as it began, and nobody would notice.
/// </summary>
internal sealed class GradientCheck(Backbone backbone)
{
    private readonly SiteAttribute[] sites = [.. backbone.GetType().GetCustomAttributes<SiteAttribute>()];

    /// <summary>
    /// Throws FPO2102 with all tensors whose gradient is exactly zero everywhere. Left out are those that wait for a tensor which is still zero
    /// (<see cref="TrainableTensor.WaitsFor"/>) and those of a tower that <paramref name="fed"/> does not name. Waits for the device once.
    /// </summary>
    internal void Require(Arena arena, Towers fed)
    {
        using var scope = NewDisposeScope();
        Tensor sums = stack([arena.SumByTensor(arena.Gradient.abs()), arena.SumByTensor(arena.Values.detach().abs())]); // [2, tensors]
        float[] found = sums.cpu().data<float>().ToArray();
        int count = arena.Tensors.Count;
        Dictionary<TrainableTensor, bool> zero = arena.Tensors.Select((tensor, i) => (tensor, i)).ToDictionary(pair => pair.tensor, pair => found[count + pair.i] == 0);
        TrainableTensor[] missed = [.. arena.Tensors.Where((tensor, i) => found[i] == 0 && !(tensor.WaitsFor is { } partner && zero.GetValueOrDefault(partner)) && IsFed(tensor, fed))];
        if (missed.Length > 0)
            throw new RecipeException("FPO2102", $"{missed.Length} of {count} trained tensors got no gradient from the first step's examples and would never move: {string.Join(", ", missed.Select(tensor => tensor.Name))}. "
                + "Either the loss does not depend on the layer (a module the task does not use; an adapter whose Forward leaves its tensor out, or detaches it), or the examples do not reach it "
                + "(rows so short that attention has nothing to choose between). Nothing was changed; do not train these modules");
    }

    private bool IsFed(TrainableTensor tensor, Towers fed) => TowerOf(tensor.Name) is var tower && (tower == Towers.None || (tower & fed) != 0);

    /// <summary>The tower of the declared site that shares the most of a tensor's path: a norm belongs where the layers beside it do.</summary>
    private Towers TowerOf(string name)
    {
        string[] parts = name.Split('.');
        return sites.Select(site => (site.Tower, Parts: Shared(site.Module.Split('.'), parts))).Where(pair => pair.Parts > 0).MaxBy(pair => pair.Parts).Tower;
    }

    private static int Shared(string[] site, string[] parts) =>
        site.Zip(parts).TakeWhile(pair => pair.First == pair.Second || pair.First == "{layer}").Count();
}
