using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Trainables;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Training;

/// <summary>Runs a backbone with its adapters over examples without training: no dropout, no gradient.</summary>
public sealed class Evaluator
{
    private readonly Action rest;
    private readonly Func<Arena.PassScope> bind;

    /// <summary>With what is placed, its numbers in <paramref name="arena"/>.</summary>
    public Evaluator(AdapterPlacement placement, Arena arena) => (rest, bind) = (() => placement.Training = false, arena.Bind);

    /// <summary>With whichever adapter of <paramref name="adapters"/> is active, or none.</summary>
    public Evaluator(AdapterCollection adapters) => (rest, bind) = (() => adapters.Training = false, adapters.Bind);

    /// <summary>Examples in one batch.</summary>
    public int BatchSize { get; init; } = 8;

    /// <inheritdoc cref="TrainingAttribute.MaxLength"/>
    public int MaxLength { get; init; }

    /// <summary>Mean loss and accuracy over everything the backbone predicts of the examples.</summary>
    public Evaluation Evaluate<TExample, TBatch>(Backbone<TExample, TBatch> backbone, IReadOnlyList<TExample> examples)
        where TBatch : IBatch
    {
        double loss = 0;
        long right = 0, count = 0;
        ForEachBatch(backbone, examples, predictions =>
        {
            Tensor known = predictions.Labels.ne(Scalars.Of(TokenBatch.Unsupervised));
            loss += predictions.SummedLoss().ToDouble();
            right += predictions.Logits.argmax(-1).eq(predictions.Labels).logical_and(known).sum().ToInt64();
            count += known.sum().ToInt64();
        });
        return new Evaluation(loss / Math.Max(1, count), (double)right / Math.Max(1, count), count);
    }

    /// <summary>The class of the largest logit for each example, on a backbone that predicts one thing of an example.</summary>
    public IReadOnlyList<int> Predict<TExample, TBatch>(Backbone<TExample, TBatch> backbone, IReadOnlyList<TExample> examples)
        where TBatch : IBatch
    {
        List<int> classes = [];
        ForEachBatch(backbone, examples, predictions => classes.AddRange(predictions.Logits.argmax(-1).cpu().data<long>().ToArray().Select(label => (int)label)));
        return classes;
    }

    private void ForEachBatch<TExample, TBatch>(Backbone<TExample, TBatch> backbone, IReadOnlyList<TExample> examples, Action<Predictions> visit)
        where TBatch : IBatch
    {
        backbone.Check(examples, MaxLength);
        rest();
        using var noGrad = no_grad();
        foreach (TExample[] some in examples.Chunk(BatchSize))
        {
            using var scope = NewDisposeScope();
            using var live = bind();
            visit(backbone.Predict(backbone.Collate(some, MaxLength)));
        }
    }
}
