using FlatPO.Recipes.Native;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Sharpness;

/// <summary>How the length of the climb is measured.</summary>
public enum ClimbMetric
{
    /// <summary>ε_t = ρ · g_t / ‖g‖ (SAM).</summary>
    Euclidean,

    /// <summary>ε_t = ρ · θ_t² ∘ g_t / ‖ |θ| ∘ g ‖ (ASAM, arXiv 2102.11600).</summary>
    Adaptive,
}

/// <summary>The climb to the sharp point, as a scope: while it is open the selected tensors are perturbed, leaving it puts every number back bit for bit.</summary>
public static class ClimbExtensions
{
    // The reference's guard against a zero gradient.
    private const double Guard = 1e-12;

    /// <summary>
    /// Moves the selected tensors by ε_t = <paramref name="rho"/> · g_t / (‖g‖₂ + 1e-12), g being the arena's gradient, until the returned scope is left,
    /// by whatever way: a return, an exception or a cancellation.
    /// </summary>
    public static ClimbScope Climb(
        this Arena arena, Selection selection, double rho, ClimbMetric metric = ClimbMetric.Euclidean, Normalization normalization = Normalization.AllTensors)
    {
        using var temporaries = NewDisposeScope();
        using var noGrad = no_grad();
        arena.Save();
        Tensor gradient = arena.Gradient;
        Tensor values = arena.Values.detach();
        Tensor measured = metric == ClimbMetric.Adaptive ? values.mul(gradient) : gradient; // |θ| ∘ g up to sign
        Tensor squares = arena.SumByTensor(measured.Squared()); // [number of tensors]
        if (normalization == Normalization.Selected)
            squares = squares.where(selection.Mask, zeros_like(squares));
        Tensor scale = squares.sum().sqrt().add(Scalars.Of(Guard)).reciprocal().mul(Scalars.Of(rho)); // 0-dim
        Tensor direction = metric == ClimbMetric.Adaptive ? values.Squared().mul(gradient) : gradient;
        Tensor meant = direction.mul(scale); // ε
        Tensor climbed = values.Plus(meant);
        // `where`, not a product with the mask: a gradient that is not finite must not reach the tensors outside the selection.
        Tensor chosen = arena.SpreadToElements(selection.Mask), target = climbed.where(chosen, values);
        arena.NotePerturbationError(Error(arena, (values, target), meant.where(chosen, zeros_like(meant))));
        ClimbScope scope = new(arena);
        values.copy_(target);
        return scope;
    }

    // ‖(cast(θ + ε) − cast(θ)) − ε‖ / ‖ε‖, cast being to the numbers that adapters compute with
    private static Tensor Error(Arena arena, (Tensor From, Tensor To) climb, Tensor meant)
    {
        Tensor moved = arena.AsComputed(climb.To).sub(arena.AsComputed(climb.From));
        return moved.sub(meant).norm().div(meant.norm().add(Scalars.Of(Guard)));
    }

    /// <summary>An open climb.</summary>
    public readonly struct ClimbScope(Arena arena) : IDisposable
    {
        /// <summary>Returns to θ.</summary>
        public void Dispose() => arena.Restore();
    }
}
