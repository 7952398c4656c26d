using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones;

/// <summary>What a projection asks of the adapter that sits at it; the methods are in Adapters. It announces its trainable tensors; nothing guesses them from names.</summary>
public abstract class AdapterLayer
{
    /// <summary>
    /// The trainable tensors, in the order PEFT registers them. One that gets no gradient while another is zero says so (<see cref="TrainableTensor.WaitsFor"/>): any other
    /// without a gradient is an error of the first step.
    /// </summary>
    public abstract IReadOnlyList<TrainableTensor> Tensors { get; }

    /// <summary>True while training: dropout acts.</summary>
    public bool Training { get; set; }

    /// <summary>The adapted layer's output for x [..., in]: [..., out] in x's number format.</summary>
    public abstract Tensor Forward(Tensor x, Projection site);

    /// <summary>The site's weight with the adapter merged into it: float32 [out, in].</summary>
    public abstract Tensor MergedWeight(Projection site);

    /// <summary>The site's bias with the adapter merged into it: float32 [out]; null where merging leaves it as it is.</summary>
    public virtual Tensor? MergedBias(Projection site) => null;
}
