using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones;

/// <summary>The weights and projections a backbone declares, in module order, and the device and number format they are loaded in.</summary>
public sealed class WeightTable(ModelConfig config, Device device, ScalarType dtype) : IDisposable
{
    private readonly List<Weight> weights = [];
    private readonly List<Projection> projections = [];

    /// <summary>config.json.</summary>
    public ModelConfig Config { get; } = config;

    /// <summary>Where the weights go.</summary>
    public Device Device { get; } = device;

    /// <summary>The number format they are held in.</summary>
    public ScalarType Dtype { get; } = dtype;

    /// <summary>All declared weights.</summary>
    public IReadOnlyList<Weight> All => weights;

    /// <summary>All declared projections, in module order.</summary>
    public IReadOnlyList<Projection> Projections => projections;

    /// <summary>Declares one tensor of the checkpoint.</summary>
    public Weight Declare(string name, params long[] shape)
    {
        Weight weight = new(name, shape);
        weights.Add(weight);
        return weight;
    }

    /// <summary>Declares a linear layer; <paramref name="published"/> is its path in the checkpoint where that differs from <paramref name="module"/>.</summary>
    public Projection Linear(string module, Sites role, long @in, long @out, bool bias, string? published = null)
    {
        string path = published ?? module;
        Projection projection = new(module, role, Declare($"{path}.weight", @out, @in), bias ? Declare($"{path}.bias", @out) : null);
        projections.Add(projection);
        return projection;
    }

    /// <summary>The projection at a module path; throws FPO1001 with the nearest ones if there is none.</summary>
    public Projection Projection(string module) =>
        projections.Find(projection => projection.Module == module)
        ?? throw new RecipeException("FPO1001", $"the {Config.ModelType} backbone has no linear layer '{module}'; nearest is '{projections.MinBy(projection => Nearness.Distance(module, projection.Module))?.Module}'");

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Weight weight in weights)
            weight.Release();
    }
}
