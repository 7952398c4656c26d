using FlatPO.Recipes.Batches;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones;

/// <summary>A vision network that gives each image one of a fixed set of labels.</summary>
public abstract class ImageClassifier(WeightTable weights) : Backbone<ImageExample, ImageBatch>(weights)
{
    /// <summary>Logits of every image: [rows, labels].</summary>
    public abstract Tensor Logits(ImageBatch batch);

    /// <inheritdoc/>
    public override Tensor? Probe()
    {
        if (!Config.Has("image_size"))
            return null; // a network of one's own, whose images have the size it likes
        using var scope = NewDisposeScope();
        (float[] pixels, ImageShape shape) = ProbeInputs.Image(Config);
        return Logits(Collate([new ImageExample(pixels, shape, 0)], 0)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override void Check(IReadOnlyList<ImageExample> examples, int maxLength)
    {
        for (int row = 0; row < examples.Count; row++)
            Config.CheckLabel(examples[row].Label, row);
    }

    /// <inheritdoc/>
    public override ImageBatch Collate(IReadOnlyList<ImageExample> examples, int maxLength, Device device) => Collation.Images(examples, device);

    /// <inheritdoc/>
    public override Predictions Predict(ImageBatch batch) => new(Logits(batch), batch.Labels);
}
