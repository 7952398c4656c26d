using FlatPO.Recipes;
using FlatPO.Recipes.Backbones.Bert;
using FlatPO.Recipes.Backbones.Blocks;
using FlatPO.Recipes.Batches;
using static TorchSharp.torch;

[assembly: DeclaresBackbone(typeof(BertForSequenceClassification))]

namespace FlatPO.Recipes.Backbones.Bert;

/// <summary>
/// BERT with a classifier on the pooled first token (transformers <c>modeling_bert.py</c>). The pooler counts as part of the head, so that
/// <see cref="Sites.AllLinear"/> leaves it out; peft's <c>all-linear</c> leaves out <c>classifier</c> alone and adapts the pooler.
/// </summary>
[BackboneFamily("bert", TaskType.SequenceClassification, MaxLength = "max_position_embeddings",
    Shape = ["hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "max_position_embeddings", "vocab_size"])]
[Tower(Weights = Widths.BertEmbeddings, LayerActivations = Widths.BertActivations)]
[Site("inputs", Sites.Inputs, In = "0", Out = "hidden_size")]
[Site("bert.embeddings.word_embeddings", Sites.Embedding, In = "vocab_size", Out = "hidden_size")]
[Site("bert.embeddings.LayerNorm", Sites.Norm, In = "hidden_size", Out = "hidden_size", Bias = "1")]
[Site("bert.encoder.layer.{layer}.attention.self.query", Sites.Query, In = "hidden_size", Out = "hidden_size", Bias = "1")]
[Site("bert.encoder.layer.{layer}.attention.self.key", Sites.Key, In = "hidden_size", Out = "hidden_size", Bias = "1")]
[Site("bert.encoder.layer.{layer}.attention.self.value", Sites.Value, In = "hidden_size", Out = "hidden_size", Bias = "1")]
[Site("bert.encoder.layer.{layer}.attention.output.dense", Sites.Output, In = "hidden_size", Out = "hidden_size", Bias = "1")]
[Site("bert.encoder.layer.{layer}.attention.output.LayerNorm", Sites.Norm, In = "hidden_size", Out = "hidden_size", Bias = "1")]
[Site("bert.encoder.layer.{layer}.intermediate.dense", Sites.Up, In = "hidden_size", Out = "intermediate_size", Bias = "1")]
[Site("bert.encoder.layer.{layer}.output.dense", Sites.Down, In = "intermediate_size", Out = "hidden_size", Bias = "1")]
[Site("bert.encoder.layer.{layer}.output.LayerNorm", Sites.Norm, In = "hidden_size", Out = "hidden_size", Bias = "1")]
[Site("bert.pooler.dense", Sites.Head, In = "hidden_size", Out = "hidden_size", Bias = "1")]
[Site("classifier", Sites.Head, In = "hidden_size", Out = Widths.Labels, Bias = "1")]
public sealed class BertForSequenceClassification : SequenceClassifier
{
    private readonly BertEncoder encoder;
    private readonly Projection pooler;
    private readonly Projection classifier;
    private readonly Dropout dropout;

    /// <summary>Declares the network config.json describes.</summary>
    public BertForSequenceClassification(WeightTable weights)
        : base(weights)
    {
        long hidden = Config.Size("hidden_size");
        encoder = new BertEncoder(weights, "bert");
        pooler = weights.Head("bert.pooler.dense", hidden, hidden);
        classifier = weights.Head("classifier", hidden, Config.Labels);
        weights.Ignore("cls.*"); // the heads of pretraining
        dropout = BertEncoder.HeadDropout(Config);
    }

    /// <inheritdoc/>
    public override long? LongestRow => Config.Size("max_position_embeddings") - encoder.PlacesBefore;

    /// <inheritdoc/>
    public override long TokenTypes => encoder.TokenTypes;

    /// <inheritdoc/>
    public override Tensor HiddenStates(SequenceBatch batch)
    {
        using var scope = NewDisposeScope();
        return encoder.States(batch, encoder.Numbers(batch), Training).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor Logits(SequenceBatch batch)
    {
        using var scope = NewDisposeScope();
        Tensor pooled = pooler.Forward(HiddenStates(batch).select(1, 0)).tanh(); // [rows, hidden]
        return classifier.Forward(dropout.Forward(pooled, Training)).MoveToOuterDisposeScope(); // [rows, labels]
    }
}
