using FlatPO.Recipes.Native;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Sharpness;

/// <summary>
/// Ranks the tensors in scope by the norm of their gradient, s_t = ‖g_t‖₂ (arXiv 2606.10488), and chooses which of them to perturb.
/// The choice stays on the device.
/// </summary>
public sealed class Ranking : IDisposable
{
    private readonly Arena arena;
    private readonly Tensor scope;

    /// <summary>Ranks the adapter tensors of <paramref name="arena"/> that sit at one of the <paramref name="sites"/>; all of them for <see cref="Sites.None"/>.</summary>
    public Ranking(Arena arena, Sites sites)
    {
        this.arena = arena;
        long[] inScope = [.. Enumerable.Range(0, arena.Tensors.Count).Where(index => Admits(arena.Tensors[index], sites)).Select(index => (long)index)];
        if (inScope.Length == 0)
            throw new RecipeException("FPO2010", $"the sharpness scope {sites} holds none of the {arena.Tensors.Count} trainable tensors; they sit at {string.Join(", ", arena.Tensors.Select(tensor => tensor.Site).Distinct())}");
        Count = inScope.Length;
        scope = tensor(inScope, int64, arena.Device).DetachFromDisposeScope();
    }

    /// <summary>m, the number of tensors in scope.</summary>
    public int Count { get; }

    /// <summary>k = max(1, ⌊f · m⌋), the number of tensors a fraction f of the scope is.</summary>
    public int CountOf(double fraction) => Math.Max(1, (int)(fraction * Count));

    /// <summary>The <paramref name="count"/> tensors with the largest gradient norm; of equal norms the earlier tensor.</summary>
    public Selection Sharpest(int count)
    {
        using var temporaries = NewDisposeScope();
        using var noGrad = no_grad();
        (_, Tensor order) = Scores().sort(dim: 0, descending: true, stable: true);
        return Choose(scope.index_select(0, order.narrow(0, 0, Bounded(count))));
    }

    /// <summary>All tensors whose gradient norm is at least the given quantile of the norms, linearly interpolated.</summary>
    public Selection AboveQuantile(double quantile)
    {
        using var temporaries = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor scores = Scores();
        Tensor above = scores.ge(scores.quantile(full([], Scalars.Of(quantile), ScalarType.Float32, arena.Device))); // [m]
        Tensor mask = zeros(arena.Tensors.Count, @bool, arena.Device).index_copy_(0, scope, above);
        return new Selection(arena, mask.MoveToOuterDisposeScope());
    }

    /// <summary><paramref name="count"/> tensors drawn without replacement; the same seed draws the same ones.</summary>
    public Selection Random(int count, long seed)
    {
        using var temporaries = NewDisposeScope();
        using Generator generator = new((ulong)seed, CPU);
        Tensor drawn = randperm(Count, int64, CPU, generator: generator).narrow(0, 0, Bounded(count)).to(arena.Device);
        return Choose(scope.index_select(0, drawn));
    }

    /// <summary>Every tensor in scope: what SAM perturbs.</summary>
    public Selection All()
    {
        using var temporaries = NewDisposeScope();
        return Choose(scope);
    }

    /// <summary>‖g_t‖₂ of the tensors in scope: float32 [m].</summary>
    private Tensor Scores() => arena.SumByTensor(arena.Gradient.Squared()).sqrt().index_select(0, scope);

    private Selection Choose(Tensor indices) =>
        new(arena, zeros(arena.Tensors.Count, @bool, arena.Device).index_fill_(0, indices, Scalars.True).MoveToOuterDisposeScope());

    private int Bounded(int count) => count >= 1 && count <= Count
        ? count
        : throw new RecipeException("FPO2002", $"{count} tensors to perturb is out of bounds; allowed is at least 1 and at most {Count}, the tensors in scope");

    private static bool Admits(TrainableTensor tensor, Sites sites) =>
        tensor.Kind == TrainableKind.Adapter && (sites == Sites.None || (tensor.Site & sites) != 0);

    /// <inheritdoc/>
    public void Dispose() => scope.Dispose();
}
