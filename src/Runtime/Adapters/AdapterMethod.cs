using System.Text.Json.Nodes;
using FlatPO.Recipes.Backbones;
using TorchSharp;

namespace FlatPO.Recipes.Adapters;

/// <summary>An adapter method as peft's files know it.</summary>
public abstract class AdapterMethod
{
    /// <summary><c>peft_type</c> of adapter_config.json.</summary>
    public abstract string PeftType { get; }

    /// <summary>Writes the method's own entries of adapter_config.json.</summary>
    public abstract void WriteConfig(JsonObject config);

    /// <summary>Throws FPO4011 where adapter_config.json says something that changes the result and that this method's settings do not say.</summary>
    public abstract void CheckConfig(AdapterConfig config);
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
}
