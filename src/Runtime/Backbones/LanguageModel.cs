using FlatPO.Recipes.Batches;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones;

/// <summary>What <see cref="CausalLM"/> and <see cref="MultimodalLM"/> share: each position predicts the token behind it.</summary>
public abstract class LanguageModel<TExample, TBatch>(WeightTable weights) : Backbone<TExample, TBatch>(weights)
    where TBatch : IBatch
{
    /// <summary>
    /// Logits of every position: [rows, T, vocabulary]. Where a prompt is read before the texts, its places come first (as in peft). A backbone overrides this or
    /// <see cref="BeforeHead"/>.
    /// </summary>
    public virtual Tensor Logits(TBatch batch)
    {
        using var scope = NewDisposeScope();
        HeadInput input = BeforeHead(batch) ?? throw new NotSupportedException($"{GetType().Name} has neither {nameof(Logits)} nor {nameof(BeforeHead)}");
        return input.Logits().MoveToOuterDisposeScope();
    }

    /// <summary>The last layer and what it reads; null on a backbone with <see cref="Logits"/> of its own. With it, training never holds the logits of a whole batch.</summary>
    protected virtual HeadInput? BeforeHead(TBatch batch) => null;

    /// <inheritdoc/>
    public override string? PeftTaskType => "CAUSAL_LM";

    /// <summary>Each position's prediction of the token behind it.</summary>
    public override Predictions Predict(TBatch batch) => Predictions.OfNextToken(Logits(batch), TokensOf(batch).Labels);

    /// <inheritdoc/>
    public override Tensor Loss(TBatch batch, Tensor predictions)
    {
        using var scope = NewDisposeScope();
        return (BeforeHead(batch) is { } input ? NextTokenLoss.Of(input, TokensOf(batch), predictions) : base.Loss(batch, predictions)).MoveToOuterDisposeScope();
    }

    private protected abstract TokenBatch TokensOf(TBatch batch);
}

/// <summary>The last layer of a language model and what it reads.</summary>
/// <param name="Hidden">[rows, T, width], in the backbone's number format.</param>
/// <param name="Head">Width to vocabulary.</param>
public readonly record struct HeadInput(Tensor Hidden, Projection Head)
{
    /// <summary>[rows, T, vocabulary].</summary>
    internal Tensor Logits() => Head.Forward(Hidden);

    /// <summary>The same in the scope outside the current one.</summary>
    internal HeadInput Kept() => this with { Hidden = Hidden.MoveToOuterDisposeScope() };
}
