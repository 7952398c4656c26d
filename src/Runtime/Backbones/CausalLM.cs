using FlatPO.Recipes.Batches;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones;

/// <summary>A decoder that predicts the next token.</summary>
public abstract class CausalLM(WeightTable weights) : LanguageModel<TokenExample, TokenBatch>(weights)
{
    /// <summary>Where token vectors enter the layers; null on a backbone that takes nothing before its texts.</summary>
    protected virtual InputSite? Inputs => null;

    /// <summary>
    /// Logits of the token behind each text: [rows, vocabulary]. A backbone that knows no cache reads the texts anew each time.
    /// </summary>
    public virtual Tensor NextLogits(DecoderPass pass)
    {
        using var scope = NewDisposeScope();
        TokenBatch whole = new(pass.Ids, pass.AttentionMask, pass.Ids, 0) { Padding = pass.IsPadded ? Padding.Unknown : Padding.Right };
        return Logits(whole).select(1, -1).MoveToOuterDisposeScope();
    }

    /// <summary>Tokens of the longest row the network can take, what stands before it not counted; null where its positions are computed and have no end.</summary>
    public virtual long? LongestRow => null;

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
    public override TokenBatch Collate(IReadOnlyList<TokenExample> examples, int maxLength, Device device)
    {
        TokenBatch batch = Collation.Tokens(examples, maxLength, device);
        return Inputs?.Adapter is PromptAdapter ? batch with { Supervised = batch.Supervised + examples.Count(TeachesFirst) } : batch;
    }

    private protected override TokenBatch TokensOf(TokenBatch batch) => batch;

    // Behind a prompt the first token is predicted too.
    private static bool TeachesFirst(TokenExample example) => (example.Labels ?? example.InputIds)[0] != TokenBatch.Unsupervised;
}
