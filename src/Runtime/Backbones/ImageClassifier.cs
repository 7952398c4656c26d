using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Native;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Backbones;

/// <summary>A vision network that gives each image one of a fixed set of labels.</summary>
public abstract class ImageClassifier(WeightTable weights) : Backbone(weights)
{
    /// <summary>Logits of every image: [rows, labels].</summary>
    public abstract Tensor Logits(ImageBatch batch);

    /// <summary>Cross-entropy summed over the batch and divided by <paramref name="supervised"/> (0-dim, float32).</summary>
    public Tensor Loss(ImageBatch batch, long supervised)
    {
        using var scope = NewDisposeScope();
        Tensor logits = Logits(batch).to_type(ScalarType.Float32);
        return functional.cross_entropy(logits, batch.Labels, reduction: Reduction.Sum).DividedBy(supervised).MoveToOuterDisposeScope();
    }
}
