using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using static TorchSharp.torch;

namespace Counterpart;

/// <summary>Inputs as a backbone takes them; adapters must be bound when it is asked.</summary>
/// <param name="Logits">What it answers.</param>
/// <param name="Predict">Everything it predicts of them, beside the labels.</param>
/// <param name="Loss">Its loss, summed and divided by a number of predictions.</param>
internal sealed record Question(Func<Tensor> Logits, Func<Predictions> Predict, Func<long, Tensor> Loss)
{
    internal static Question To<TExample, TBatch>(Backbone<TExample, TBatch> backbone, TBatch batch, Func<TBatch, Tensor> logits)
        where TBatch : IBatch => new(() => logits(batch), () => backbone.Predict(batch), supervised => backbone.Loss(batch, supervised));
}
