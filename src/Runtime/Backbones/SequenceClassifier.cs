using FlatPO.Recipes.Batches;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones;

/// <summary>A network that gives each text one of a fixed set of labels (transformers' <c>single_label_classification</c>).</summary>
public abstract class SequenceClassifier : Backbone<SequenceExample, SequenceBatch>
{
    private const string OneLabelEach = "single_label_classification";

    /// <summary>Builds the network's structure. Throws FPO4006 where config.json asks for regression or for several labels a text.</summary>
    protected SequenceClassifier(WeightTable weights)
        : base(weights)
    {
        if (Config.Text("problem_type", OneLabelEach) != OneLabelEach)
            throw Config.Invalid("problem_type", $"{OneLabelEach}: a text has one label");
        if (Config.Labels < 2)
            throw Config.Invalid(Config.Has("id2label") ? "id2label" : "num_labels", "2 labels or more: to transformers one label means regression");
    }

    /// <summary>What every token came to, transformers' <c>last_hidden_state</c> of the model without its head: [rows, T, hidden].</summary>
    public abstract Tensor HiddenStates(SequenceBatch batch);

    /// <summary>Logits of every text: [rows, labels].</summary>
    public abstract Tensor Logits(SequenceBatch batch);

    /// <summary>Tokens of the longest row the network can take; null where its positions are computed and have no end.</summary>
    public virtual long? LongestRow => null;

    /// <summary>How many token types the network tells apart; 1 where it knows none.</summary>
    public virtual long TokenTypes => 1;

    /// <inheritdoc/>
    public override string? PeftTaskType => "SEQ_CLS";

    /// <inheritdoc/>
    public override Tensor? Probe()
    {
        using var scope = NewDisposeScope();
        return Logits(Collate([new SequenceExample(ProbeInputs.Ids(Config, LongestRow), 0)], 0)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    /// <remarks>FPO3006 for a row that is too long, FPO3013 for an id or a label, FPO3021 for a token type the network does not have.</remarks>
    public override void Check(IReadOnlyList<SequenceExample> examples, int maxLength)
    {
        TokenRange vocabulary = TokenRange.Of(Config);
        for (int row = 0; row < examples.Count; row++)
        {
            SequenceExample example = examples[row];
            vocabulary.CheckIds(example.InputIds, row);
            CheckTypes(example.TokenTypeIds ?? [], row);
            Config.CheckLabel(example.Label, row);
            TokenRange.CheckLength(example.InputIds.Count, maxLength, LongestRow, row);
        }
    }

    /// <inheritdoc/>
    public override SequenceBatch Collate(IReadOnlyList<SequenceExample> examples, int maxLength, Device device) => Collation.Sequences(examples, maxLength, device);

    /// <inheritdoc/>
    public override Predictions Predict(SequenceBatch batch) => new(Logits(batch), batch.Labels);

    private void CheckTypes(IReadOnlyList<int> types, int row)
    {
        foreach (int type in types)
            if (type < 0 || type >= TokenTypes)
                throw new RecipeException("FPO3021", $"example {row} has token type {type}; allowed are 0 to {TokenTypes - 1} (type_vocab_size of {Config.Path})");
    }
}
