using FlatPO.Recipes.Native;
using FlatPO.Recipes.Training;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Generation;

/// <summary>
/// Chooses the next token of each text from its logits (transformers <c>generation/logits_process.py</c>: temperature, then top k, then top p). One sort serves
/// both cuts and the draw; only a number a row crosses from the host.
/// </summary>
internal sealed class Sampler(GenerationSettings settings)
{
    private const int DrawnBits = 24; // what float32 holds of a number in [0, 1)

    /// <summary>logits [rows, vocabulary] of the texts from <paramref name="firstText"/> on to their tokens: int64 [rows].</summary>
    internal Tensor Choose(Tensor logits, int firstText, int step)
    {
        using var scope = NewDisposeScope();
        if (settings.Temperature == 0)
            return logits.argmax(-1).MoveToOuterDisposeScope();
        (Tensor sorted, Tensor tokens) = logits.to_type(ScalarType.Float32).div(Scalars.Of(settings.Temperature)).sort(-1, descending: true);
        Tensor likely = Likely(sorted); // [rows, vocabulary], the likeliest first, 0 behind the cut
        Tensor upTo = likely.cumsum(-1);
        Tensor drawn = tensor(Draws(firstText, step, logits.size(0)), device: logits.device).unsqueeze(1).mul(upTo.narrow(1, upTo.size(1) - 1, 1));
        Tensor place = upTo.le(drawn).sum(-1, keepdim: true); // how many the draw lies behind
        return tokens.gather(1, place).squeeze(1).MoveToOuterDisposeScope();
    }

    private Tensor Likely(Tensor sorted)
    {
        using var scope = NewDisposeScope();
        Tensor kept = settings.TopK > 0 && settings.TopK < sorted.size(1)
            ? sorted.masked_fill(sorted.lt(sorted.narrow(1, settings.TopK - 1, 1)), Scalars.Of(double.NegativeInfinity)) // ties with the last stay, as in transformers
            : sorted;
        Tensor probabilities = kept.softmax(-1);
        if (settings.TopP == 1)
            return probabilities.MoveToOuterDisposeScope();
        Tensor before = probabilities.cumsum(-1).sub(probabilities);
        return probabilities.mul(before.lt(Scalars.Of(settings.TopP))).MoveToOuterDisposeScope();
    }

    // A number in [0, 1) for each text.
    private float[] Draws(int firstText, int step, long rows)
    {
        RunSeed seed = new(settings.Seed, step);
        return [.. Enumerable.Range(firstText, (int)rows).Select(text => (float)((double)(seed.Draw(text) >> (63 - DrawnBits)) / (1 << DrawnBits)))];
    }
}
