using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Operations;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Training;

/// <summary>The micro-batches of one optimizer step. Both passes of a step run over the same window, with the same dropout.</summary>
public sealed class Window<TBatch>(IReadOnlyList<TBatch> batches, RunSeed seed)
    where TBatch : IBatch
{
    /// <summary>The predictions all losses of the window are averaged over, so that K micro-batches of b weigh as one batch of K · b.</summary>
    public long Supervised { get; } = batches.Sum(batch => batch.Supervised);

    /// <summary>The micro-batches.</summary>
    internal IReadOnlyList<TBatch> Batches => batches;

    /// <summary>What its passes draw from.</summary>
    internal RunSeed Draws => seed;

    /// <summary>What watches over the passes' randomness; null for nobody: libtorch's generators are seeded before each micro-batch.</summary>
    internal IPassWatch? Watch { get; set; }

    /// <summary><see cref="Supervised"/> as a number on the device (0-dim, float32) that outlives the window; null for one of each pass's own.</summary>
    internal Tensor? Predictions { get; init; }

    /// <summary>The towers that its examples pass through.</summary>
    internal Towers Fed => batches.Aggregate(Towers.None, (fed, batch) => fed | batch.Fed);

    /// <summary>What looks at the gradients of the first pass, before anything moves; null for nothing.</summary>
    internal Action<Arena, Towers>? AfterFirstPass { get; set; }

    /// <summary>A seed of this step's own, for what it draws at random.</summary>
    public long Seed
    {
        get
        {
            Recording.Refuse("what a step draws at random on the host it draws anew each time");
            return seed.Draw(batches.Count);
        }
    }

    /// <summary>
    /// Runs every micro-batch forward and backward. The gradients of the window's loss land in the arena, whatever it held before is forgotten;
    /// the loss (0-dim, float32, on the device) is returned.
    /// </summary>
    public Tensor Pass(Arena arena, Func<TBatch, Tensor, Tensor> loss)
    {
        if (Supervised == 0)
            throw new RecipeException("FPO3014", $"no position of the step's {batches.Count} micro-batches carries a label, so there is nothing to learn; every example needs at least one behind its first token");
        using var scope = NewDisposeScope();
        arena.ZeroGradient();
        Tensor predictions = Predictions ?? Scalars.Count(Supervised, arena.Device);
        Tensor total = zeros([], float32, arena.Device);
        for (int micro = 0; micro < batches.Count; micro++)
        {
            if (Watch is null)
                seed.Sow(micro, arena.Device);
            Watch?.Begin(micro);
            total.add_(PassOne(arena, () => loss(batches[micro], predictions)), Scalars.One);
            Watch?.End();
        }
        arena.Copies.Settle();
        AfterFirstPass?.Invoke(arena, Fed);
        AfterFirstPass = null;
        return total.MoveToOuterDisposeScope();
    }

    private Tensor PassOne(Arena arena, Func<Tensor> loss)
    {
        using var scope = NewDisposeScope();
        using GradientPass pass = GradientPass.Open();
        using var live = arena.Bind();
        Tensor value = loss();
        if (value.requires_grad) // a batch of text alone passes by the adapters of a tower that sees
            pass.Backward(value);
        return value.detach().MoveToOuterDisposeScope();
    }
}

/// <summary>What happens around each micro-batch of a pass in place of seeding libtorch's generators.</summary>
internal interface IPassWatch
{
    /// <summary>Micro-batch number <paramref name="micro"/> is about to run, forward and backward.</summary>
    void Begin(int micro);

    /// <summary>It has run.</summary>
    void End();
}
