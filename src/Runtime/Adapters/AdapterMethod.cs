using FlatPO.Recipes.Backbones;
using TorchSharp;

namespace FlatPO.Recipes.Adapters;

/// <summary>
/// How an adapter method builds its layer at a site. Its properties carry the names of its attribute's; <typeparamref name="TLayer"/> is what
/// a recipe's typed accessors return.
/// </summary>
public abstract class AdapterMethod<TLayer>
    where TLayer : AdapterLayer
{
    /// <summary>Builds the layer for <paramref name="site"/>; random initial numbers come from <paramref name="random"/>, on the CPU.</summary>
    public abstract TLayer Place(Projection site, torch.Generator random);
}
