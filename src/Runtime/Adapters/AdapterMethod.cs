using System.Text.Json.Nodes;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Trainables;
using TorchSharp;

namespace FlatPO.Recipes.Adapters;

/// <summary>An adapter method as peft's files know it.</summary>
public abstract class AdapterMethod
{
    /// <summary><c>peft_type</c> of adapter_config.json.</summary>
    public abstract string PeftType { get; }

    /// <summary>Whether peft's configuration of the method knows <c>layers_to_transform</c>; where it does not, a range of layers is written as full module paths.</summary>
    public virtual bool SelectsLayers => true;

    /// <summary>Writes the method's own entries of adapter_config.json; <c>target_modules</c>, which names <paramref name="sites"/>, is there already.</summary>
    public abstract void WriteConfig(JsonObject config, IReadOnlyList<Projection> sites);

    /// <summary>Throws FPO4011 where adapter_config.json says something that changes the result at <paramref name="sites"/> and that this method's settings do not say.</summary>
    public abstract void CheckConfig(AdapterConfig config, IReadOnlyList<Projection> sites);

    /// <summary>What the method trains at a linear layer that carries no adapter and is not trained whole; nothing unless it says otherwise.</summary>
    public virtual IEnumerable<TrainableTensor> Elsewhere(Projection site) => [];

    /// <summary>Places the method's layer where its type does not matter.</summary>
    internal abstract void PlaceOn(AdapterPlacement placement, string module);
}

/// <summary>
/// How an adapter method builds its layer at a site. Its properties carry the names of its attribute's; <typeparamref name="TLayer"/> is what
/// a recipe's typed accessors return.
/// </summary>
public abstract class AdapterMethod<TLayer> : AdapterMethod
    where TLayer : AdapterLayer
{
    /// <summary>Builds the layer for <paramref name="site"/>; random initial numbers come from <paramref name="random"/>, on the CPU.</summary>
    public abstract TLayer Place(Projection site, torch.Generator random);

    internal sealed override void PlaceOn(AdapterPlacement placement, string module) => placement.Place(this, module);
}
