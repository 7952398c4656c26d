using FlatPO.Recipes.Native;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Optimization;

/// <summary>Clipping of the gradient that is about to be applied.</summary>
public static class GradientClipping
{
    /// <summary>Scales the arena's gradient down to <paramref name="maxNorm"/> where it is longer (torch's <c>clip_grad_norm_</c>); 0 never clips.</summary>
    public static void ClipGradient(this Arena arena, double maxNorm)
    {
        if (maxNorm <= 0)
            return;
        using var temporaries = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor norm = arena.Gradient.Squared().sum().sqrt();
        arena.Gradient.mul_(norm.add(Scalars.Of(1e-6)).reciprocal().mul(Scalars.Of(maxNorm)).clamp(max: Scalars.One));
    }
}
