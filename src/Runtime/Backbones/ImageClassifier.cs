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

    /// <summary>Throws FPO3013 for a label the network does not have, before a kernel on the device stumbles over it.</summary>
    public void Check(IReadOnlyList<ImageExample> examples)
    {
        for (int row = 0; row < examples.Count; row++)
            if (examples[row].Label < 0 || examples[row].Label >= Config.Labels)
                throw new RecipeException("FPO3013", $"example {row} has label {examples[row].Label}; allowed are 0 to {Config.Labels - 1}, the labels of {Config.Path}");
    }

    /// <summary>Cross-entropy summed over the batch and divided by <paramref name="supervised"/> (0-dim, float32).</summary>
    public Tensor Loss(ImageBatch batch, long supervised)
    {
        using var scope = NewDisposeScope();
        Tensor logits = Logits(batch).to_type(ScalarType.Float32);
        return functional.cross_entropy(logits, batch.Labels, reduction: Reduction.Sum).DividedBy(supervised).MoveToOuterDisposeScope();
    }
}
