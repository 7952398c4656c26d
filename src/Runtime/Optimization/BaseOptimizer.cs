using FlatPO.Recipes.Trainables;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Optimization;

/// <summary>
/// Turns the arena's gradient into a step of its values, in a handful of kernels and without a value read back. The learning rate in force is a
/// number on the device, so that a captured step follows its schedule.
/// </summary>
public abstract class BaseOptimizer : IDisposable
{
    private readonly Tensor? factors;

    /// <summary>An optimizer for everything in <paramref name="arena"/>.</summary>
    protected BaseOptimizer(Arena arena)
    {
        Arena = arena;
        CurrentLearningRate = Buffer();
        if (arena.Tensors.Any(tensor => tensor.LearningRateFactor != 1))
            factors = tensor([.. arena.Tensors.Select(tensor => (float)tensor.LearningRateFactor)], float32, arena.Device).DetachFromDisposeScope();
    }

    /// <summary>The learning rate the schedule scales.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>What it moves.</summary>
    protected Arena Arena { get; }

    /// <summary>The learning rate in force: float32, 0-dim, on the arena's device.</summary>
    protected Tensor CurrentLearningRate { get; }

    /// <summary>
    /// The learning rate in force of every element, with its tensor's <see cref="TrainableTensor.LearningRateFactor"/>: float32, 0-dim where all tensors have the
    /// factor 1, else [<see cref="Arena.Count"/>].
    /// </summary>
    protected Tensor LearningRates => factors is null ? CurrentLearningRate : Arena.SpreadToElements(factors.mul(CurrentLearningRate));

    /// <summary>Sets the rate in force to <see cref="LearningRate"/> · <paramref name="factor"/>.</summary>
    public void Schedule(double factor)
    {
        using Scalar rate = (LearningRate * factor).ToScalar();
        CurrentLearningRate.fill_(rate);
    }

    /// <summary>Moves the values once, along the gradient that the arena holds.</summary>
    public void Step()
    {
        using var scope = NewDisposeScope();
        using (no_grad())
            Move();
    }

    /// <summary>The rule itself; runs under no_grad and a dispose scope.</summary>
    protected abstract void Move();

    /// <summary>A float32 buffer of zeros on the arena's device that outlives the current dispose scope.</summary>
    protected Tensor Buffer(params ReadOnlySpan<long> shape) => zeros(shape, float32, Arena.Device).DetachFromDisposeScope();

    /// <inheritdoc/>
    public virtual void Dispose()
    {
        CurrentLearningRate.Dispose();
        factors?.Dispose();
        GC.SuppressFinalize(this);
    }
}
