using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Optimization;
using FlatPO.Recipes.Sharpness;
using FlatPO.Recipes.Trainables;
using FlatPO.Recipes.Training;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Training;

/// <summary>The golden OPT with LoRA on every linear layer, and steps over it: what a recipe emits, for tests that vary one thing.</summary>
internal sealed class Adapted : IDisposable
{
    internal Adapted(double dropout = 0, Func<Arena, BaseOptimizer>? optimizer = null, Device? device = null)
    {
        Backbone = (CausalLM)BackboneLoader.Load(Golden.Backbone("opt"), device ?? Devices.Cpu, Precision.Float32);
        Placement = new AdapterPlacement(Backbone, seed: 3);
        LoraMethod lora = new() { Rank = 4, Alpha = 8, Dropout = dropout };
        foreach (Projection site in Backbone.Weights.Projections.Where(site => (site.Role & Sites.AllLinear) != 0))
            Placement.Place(lora, site.Module);
        Arena = Placement.BuildArena();
        Ranking = new Ranking(Arena, Sites.None);
        Optimizer = optimizer?.Invoke(Arena) ?? new AdamW(Arena) { LearningRate = 1e-2 };
        Optimizer.Schedule(1);
        Placement.Training = true;
    }

    internal CausalLM Backbone { get; }

    internal AdapterPlacement Placement { get; }

    internal Arena Arena { get; }

    internal Ranking Ranking { get; }

    internal BaseOptimizer Optimizer { get; }

    internal static TokenExample[] Examples(int count, int seed = 1)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => new TokenExample([.. Enumerable.Range(0, random.Next(3, 14)).Select(_ => random.Next(5, 300))]))];
    }

    internal static Window<TokenBatch> Window(IReadOnlyList<TokenExample> examples, int batchSize, int step = 0) =>
        new([.. examples.Chunk(batchSize).Select(some => Collation.Tokens(some, 0, CPU))], new RunSeed(0, step));

    internal Tensor Pass(Window<TokenBatch> window) => window.Pass(Arena, Backbone.Loss);

    /// <summary>One step of the base optimizer alone.</summary>
    internal void BaseStep(Window<TokenBatch> window)
    {
        using var scope = NewDisposeScope();
        Pass(window);
        Optimizer.Step();
    }

    /// <summary>One step with a climb over what <paramref name="select"/> chooses.</summary>
    internal void SharpStep(Window<TokenBatch> window, Func<Ranking, Selection> select, double rho)
    {
        using var scope = NewDisposeScope();
        Pass(window);
        using (Arena.Climb(select(Ranking), rho))
            Pass(window);
        Optimizer.Step();
    }

    public void Dispose()
    {
        Ranking.Dispose();
        Optimizer.Dispose();
        Arena.Dispose();
        Backbone.Dispose();
    }
}
