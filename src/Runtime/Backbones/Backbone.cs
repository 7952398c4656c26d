using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones;

/// <summary>
/// A frozen network that loads a Hugging Face checkpoint unchanged. A family derives from the class of its task, declares its weights and
/// projections in its constructor and its sites by attributes; it is registered by <see cref="DeclaresBackboneAttribute"/>.
/// </summary>
public abstract class Backbone : IDisposable
{
    /// <summary>Builds the network's structure; loading brings the numbers.</summary>
    protected Backbone(WeightTable weights) => Weights = weights;

    /// <summary>config.json.</summary>
    public ModelConfig Config => Weights.Config;

    /// <summary>Every weight and projection, by name.</summary>
    public WeightTable Weights { get; }

    /// <summary>Where the weights lie.</summary>
    public Device Device => Weights.Device;

    /// <summary>What PEFT calls the backbone's task (<c>task_type</c> of adapter_config.json); null where it has no word for it.</summary>
    public virtual string? PeftTaskType => null;

    /// <summary>True while training: dropout acts.</summary>
    public bool Training { get; set; }

    /// <summary>
    /// The logits of a small input made up from config.json, the same at each call: what shows whether two states of the weights are one model. Adapters must be bound
    /// (<see cref="Trainables.Arena.Bind"/>). Null where no input can be made up: a merged checkpoint is then written without being compared.
    /// </summary>
    public virtual Tensor? Probe() => null;

    /// <summary>The projection at a module path (transformers 5 spelling). Throws FPO1001 naming the nearest one if there is none.</summary>
    public Projection Projection(string module) => Weights.Projection(module);

    /// <inheritdoc/>
    public void Dispose()
    {
        Weights.Dispose();
        GC.SuppressFinalize(this);
    }
}
