using FlatPO.Recipes.Batches;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones;

/// <summary>A decoder that predicts the next token.</summary>
public abstract class CausalLM(WeightTable weights) : Backbone<TokenExample, TokenBatch>(weights)
{
    /// <summary>Logits of every position: [rows, T, vocabulary].</summary>
    public abstract Tensor Logits(TokenBatch batch);

    /// <summary>
    /// Logits of the token behind each text: [rows, vocabulary]. A backbone that knows no cache reads the texts anew each time.
    /// </summary>
    public virtual Tensor NextLogits(DecoderPass pass)
    {
        using var scope = NewDisposeScope();
        TokenBatch whole = new(pass.Ids, pass.AttentionMask, pass.Ids, 0) { Padding = pass.IsPadded ? Padding.Unknown : Padding.Right };
        return Logits(whole).select(1, -1).MoveToOuterDisposeScope();
    }

    /// <summary>Tokens of the longest row the network can take; null where its positions are computed and have no end.</summary>
    public virtual long? LongestRow => null;

    /// <inheritdoc/>
    public override string? PeftTaskType => "CAUSAL_LM";

    /// <inheritdoc/>
    public override Tensor? Probe()
    {
        using var scope = NewDisposeScope();
        return Logits(Collate([new TokenExample(ProbeInputs.Ids(Config, LongestRow))], 0)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override void Check(IReadOnlyList<TokenExample> examples, int maxLength)
    {
        TokenRange vocabulary = TokenRange.Of(Config);
        for (int row = 0; row < examples.Count; row++)
        {
            TokenExample example = examples[row];
            vocabulary.CheckIds(example.InputIds, row);
            vocabulary.CheckLabels(example.Labels ?? [], row);
            TokenRange.CheckLength(example.InputIds.Count, maxLength, LongestRow, row);
        }
    }

    /// <inheritdoc/>
    public override TokenBatch Collate(IReadOnlyList<TokenExample> examples, int maxLength) => Collation.Tokens(examples, maxLength, Device);

    /// <summary>Each position's prediction of the token behind it.</summary>
    public override Predictions Predict(TokenBatch batch) => Predictions.OfNextToken(Logits(batch), batch.Labels);
}
