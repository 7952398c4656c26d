using FlatPO.Recipes;
using FlatPO.Recipes.Backbones.Blocks;
using FlatPO.Recipes.Backbones.Roberta;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Native;
using static TorchSharp.torch;

[assembly: DeclaresBackbone(typeof(RobertaForSequenceClassification))]

namespace FlatPO.Recipes.Backbones.Roberta;

/// <summary>
/// RoBERTa with a classifier of two layers on the first token (transformers <c>modeling_roberta.py</c>): BERT's encoder with positions counted behind
/// <c>pad_token_id</c>. Neither layer of the head is part of <see cref="Sites.AllLinear"/>, as in peft's <c>all-linear</c>.
/// </summary>
[BackboneFamily("roberta", TaskType.SequenceClassification, MaxLength = "max_position_embeddings - (pad_token_id ?? 1) - 1",
    Shape = ["hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "max_position_embeddings", "vocab_size"])]
[Tower(Weights = Widths.BertEmbeddings, LayerActivations = Widths.BertActivations)]
[Site("inputs", Sites.Inputs, In = "0", Out = "hidden_size")]
[Site("roberta.embeddings.word_embeddings", Sites.Embedding, In = "vocab_size", Out = "hidden_size")]
[Site("roberta.embeddings.LayerNorm", Sites.Norm, In = "hidden_size", Out = "hidden_size", Bias = "1")]
[Site("roberta.encoder.layer.{layer}.attention.self.query", Sites.Query, In = "hidden_size", Out = "hidden_size", Bias = "1")]
[Site("roberta.encoder.layer.{layer}.attention.self.key", Sites.Key, In = "hidden_size", Out = "hidden_size", Bias = "1")]
[Site("roberta.encoder.layer.{layer}.attention.self.value", Sites.Value, In = "hidden_size", Out = "hidden_size", Bias = "1")]
[Site("roberta.encoder.layer.{layer}.attention.output.dense", Sites.Output, In = "hidden_size", Out = "hidden_size", Bias = "1")]
[Site("roberta.encoder.layer.{layer}.attention.output.LayerNorm", Sites.Norm, In = "hidden_size", Out = "hidden_size", Bias = "1")]
[Site("roberta.encoder.layer.{layer}.intermediate.dense", Sites.Up, In = "hidden_size", Out = "intermediate_size", Bias = "1")]
[Site("roberta.encoder.layer.{layer}.output.dense", Sites.Down, In = "intermediate_size", Out = "hidden_size", Bias = "1")]
[Site("roberta.encoder.layer.{layer}.output.LayerNorm", Sites.Norm, In = "hidden_size", Out = "hidden_size", Bias = "1")]
[Site("classifier.dense", Sites.Head, In = "hidden_size", Out = "hidden_size", Bias = "1")]
[Site("classifier.out_proj", Sites.Head, In = "hidden_size", Out = Widths.Labels, Bias = "1")]
public sealed class RobertaForSequenceClassification : SequenceClassifier
{
    // RobertaConfig's own default, for a configuration that does not say.
    private const long DefaultPaddingId = 1;

    private readonly BertEncoder encoder;
    private readonly Projection dense;
    private readonly Projection output;
    private readonly Dropout dropout;

    /// <summary>Declares the network config.json describes.</summary>
    public RobertaForSequenceClassification(WeightTable weights)
        : base(weights)
    {
        long hidden = Config.Size("hidden_size");
        encoder = new BertEncoder(weights, "roberta");
        dense = weights.Head("classifier.dense", hidden, hidden);
        output = weights.Head("classifier.out_proj", hidden, Config.Labels);
        weights.Ignore("roberta.pooler.*", "lm_head.*"); // a part of the base model that a classifier does not use, and the head of pretraining
        dropout = BertEncoder.HeadDropout(Config);
    }

    /// <inheritdoc/>
    public override long? LongestRow => Config.Size("max_position_embeddings") - PaddingId - 1 - encoder.PlacesBefore;

    /// <inheritdoc/>
    public override long TokenTypes => encoder.TokenTypes;

    private long PaddingId => Config.Int("pad_token_id", DefaultPaddingId);

    /// <inheritdoc/>
    public override Tensor HiddenStates(SequenceBatch batch)
    {
        using var scope = NewDisposeScope();
        return encoder.States(batch, Places(batch), Training).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor Logits(SequenceBatch batch)
    {
        using var scope = NewDisposeScope();
        Tensor mixed = dense.Forward(dropout.Forward(HiddenStates(batch).select(1, 0), Training)).tanh(); // [rows, hidden]
        return output.Forward(dropout.Forward(mixed, Training)).MoveToOuterDisposeScope(); // [rows, labels]
    }

    // transformers' create_position_ids_from_input_ids: ids count from pad_token_id + 1 on, but pad_token_id itself lies in its own row wherever it stands. [rows, T]
    private Tensor Places(SequenceBatch batch)
    {
        using var scope = NewDisposeScope();
        if (encoder.PlacesBefore > 0) // create_position_ids_from_inputs_embeds: vectors have no padding id to be told by
            return encoder.Numbers(batch).add(Scalars.Of(PaddingId + 1)).MoveToOuterDisposeScope();
        Tensor counted = batch.InputIds.ne(Scalars.Of(PaddingId)).to_type(ScalarType.Int64);
        return counted.cumsum(1).mul(counted).add(Scalars.Of(PaddingId)).MoveToOuterDisposeScope();
    }
}
