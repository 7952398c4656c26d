using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Adapters;

/// <summary>A golden language model with one adapter method on every linear layer (of some layers) or other roles, or with none.</summary>
internal sealed class Tried : IDisposable
{
    private readonly Arena? arena;

    internal Tried(AdapterMethod? method, string backbone, Precision precision = Precision.Float32, string layer = "", Sites roles = Sites.AllLinear)
    {
        Backbone = (CausalLM)BackboneLoader.Load(Golden.Backbone(backbone), Devices.Cpu, precision);
        Placement = new AdapterPlacement(Backbone, seed: 5);
        if (method is null)
            return;
        foreach (Site site in Backbone.Weights.AllSites.Where(site => (site.Role & roles) != 0 && site.Module.Contains(layer, StringComparison.Ordinal)))
            Placement.Place(method, site);
        foreach (Site site in Backbone.Weights.AllSites.Where(site => !site.IsTaken))
            Placement.TrainElsewhere(method, site.Module);
        arena = Placement.BuildArena();
    }

    internal CausalLM Backbone { get; }

    internal AdapterPlacement Placement { get; }

    internal Arena Arena => arena ?? throw new InvalidOperationException("no adapter");

    /// <summary>Moves every trained number a little, the same way every time.</summary>
    internal void Move()
    {
        using var noGrad = no_grad();
        using Generator random = new(11);
        using Tensor noise = randn([Arena.Count], generator: random).mul(0.05);
        Arena.Values.add_(noise);
    }

    internal Tensor Logits()
    {
        using var noGrad = no_grad();
        if (arena is null)
            return Logits(Backbone);
        using (arena.Bind())
            return Logits(Backbone);
    }

    internal static Tensor Logits(Backbone backbone)
    {
        Tensor ids = tensor((long[])[7, 8, 9, 10, 11, 12, 20, 30, 40, 50, 60, 70], [2, 6]);
        return ((CausalLM)backbone).Logits(new TokenBatch(ids, ones_like(ids), ids, 0)).to_type(ScalarType.Float32);
    }

    public void Dispose()
    {
        arena?.Dispose();
        Backbone.Dispose();
    }
}
