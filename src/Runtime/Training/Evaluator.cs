using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Trainables;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Training;

/// <summary>Runs a backbone with its adapters over examples without training: no dropout, no gradient.</summary>
public sealed class Evaluator(AdapterPlacement placement, Arena arena)
{
    /// <summary>Examples in one batch.</summary>
    public int BatchSize { get; init; } = 8;

    /// <inheritdoc cref="TrainingAttribute.MaxLength"/>
    public int MaxLength { get; init; }

    private Device Device => placement.Backbone.Device;

    /// <summary>Loss and next-token accuracy over all supervised positions.</summary>
    public Evaluation Evaluate(CausalLM backbone, IReadOnlyList<TokenExample> examples)
    {
        backbone.Check(examples, MaxLength);
        return Judge(examples, some => Collation.Tokens(some, MaxLength, Device), batch => Shifted(backbone, batch));
    }

    /// <summary>Loss and accuracy over all images.</summary>
    public Evaluation Evaluate(ImageClassifier backbone, IReadOnlyList<ImageExample> examples)
    {
        backbone.Check(examples);
        return Judge(examples, some => Collation.Images(some, Device), batch => (backbone.Logits(batch), batch.Labels));
    }

    /// <summary>The label of each image with the largest logit.</summary>
    public IReadOnlyList<int> Predict(ImageClassifier backbone, IReadOnlyList<ImageExample> examples)
    {
        List<int> labels = [];
        ForEachBatch(examples, some => Collation.Images(some, Device), batch => labels.AddRange(backbone.Logits(batch).argmax(-1).cpu().data<long>().ToArray().Select(label => (int)label)));
        return labels;
    }

    private Evaluation Judge<TExample, TBatch>(IReadOnlyList<TExample> examples, Func<IReadOnlyList<TExample>, TBatch> collate, Func<TBatch, (Tensor Logits, Tensor Labels)> predict)
        where TBatch : IBatch
    {
        double loss = 0;
        long right = 0, count = 0;
        ForEachBatch(examples, collate, batch =>
        {
            (Tensor logits, Tensor labels) = predict(batch); // [predictions, classes], [predictions]
            Tensor known = labels.ne(Scalars.Of(TokenBatch.Unsupervised));
            Tensor total = nn.functional.cross_entropy(logits.to_type(ScalarType.Float32), labels, ignore_index: TokenBatch.Unsupervised, reduction: nn.Reduction.Sum);
            loss += total.ToDouble();
            right += logits.argmax(-1).eq(labels).logical_and(known).sum().ToInt64();
            count += known.sum().ToInt64();
        });
        return new Evaluation(loss / Math.Max(1, count), (double)right / Math.Max(1, count), count);
    }

    private void ForEachBatch<TExample, TBatch>(IReadOnlyList<TExample> examples, Func<IReadOnlyList<TExample>, TBatch> collate, Action<TBatch> visit)
        where TBatch : IBatch
    {
        placement.Training = false;
        using var noGrad = no_grad();
        foreach (TExample[] some in examples.Chunk(BatchSize))
        {
            using var scope = NewDisposeScope();
            using var live = arena.Bind();
            visit(collate(some));
        }
    }

    private static (Tensor Logits, Tensor Labels) Shifted(CausalLM backbone, TokenBatch batch)
    {
        Tensor logits = backbone.Logits(batch); // [rows, T, vocabulary]
        long length = logits.size(1);
        return (logits.narrow(1, 0, length - 1).reshape(-1, logits.size(2)), batch.Labels.narrow(1, 1, length - 1).reshape(-1));
    }
}
