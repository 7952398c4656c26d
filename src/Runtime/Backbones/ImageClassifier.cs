using FlatPO.Recipes.Batches;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones;

/// <summary>A vision network that gives each image one of a fixed set of labels.</summary>
public abstract class ImageClassifier(WeightTable weights) : Backbone<ImageExample, ImageBatch>(weights)
{
    /// <summary>Logits of every image: [rows, labels].</summary>
    public abstract Tensor Logits(ImageBatch batch);

    /// <inheritdoc/>
    public override void Check(IReadOnlyList<ImageExample> examples, int maxLength)
    {
        for (int row = 0; row < examples.Count; row++)
            Config.CheckLabel(examples[row].Label, row);
    }

    /// <inheritdoc/>
    public override ImageBatch Collate(IReadOnlyList<ImageExample> examples, int maxLength) => Collation.Images(examples, Device);

    /// <inheritdoc/>
    public override Predictions Predict(ImageBatch batch) => new(Logits(batch), batch.Labels);
}
