using FlatPO.Recipes.Backbones.Blocks;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones.Clip;

/// <summary>Reads a text, each token those before it, and answers with what its last token knows (transformers <c>modeling_clip.py</c>, <c>CLIPTextTransformer</c>).</summary>
internal sealed class ClipTextTower
{
    private const string Path = "text_model";

    // What old configurations call the end of a text, and is not: OpenAI's is the largest id of its vocabulary (transformers pull request 24773).
    private const long LegacyEnd = 2;

    private readonly EmbeddingSite tokens;
    private readonly Embedding positions;
    private readonly ClipEncoder encoder;
    private readonly LayerNorm norm;
    private readonly long end;

    internal ClipTextTower(WeightTable weights, ModelConfig config)
    {
        ClipShape shape = ClipShape.OfText(config);
        (Hidden, Vocabulary, Positions) = (shape.Hidden, config.Size("vocab_size", 49408), config.Size("max_position_embeddings", 77));
        tokens = weights.Embedding($"{Path}.embeddings.token_embedding", Vocabulary, Hidden);
        positions = new Embedding(weights, $"{Path}.embeddings.position_embedding", Positions, Hidden);
        encoder = new ClipEncoder(weights, config, $"{Path}.encoder", shape);
        norm = ClipEncoder.Norm(weights, config, $"{Path}.final_layer_norm", Hidden);
        end = config.Int("eos_token_id", 49407);
    }

    /// <summary>Width of what it answers.</summary>
    internal long Hidden { get; }

    /// <summary>How many tokens it has vectors for.</summary>
    internal long Vocabulary { get; }

    /// <summary>Tokens of the longest text.</summary>
    internal long Positions { get; }

    /// <summary>Where the token lies that a text is read at: the first end of text, or under an old configuration the first of the largest id; −1 where there is none.</summary>
    internal int EndOf(IReadOnlyList<int> text)
    {
        int wanted = end == LegacyEnd && text.Count > 0 ? text.Max() : (int)end;
        for (int i = 0; i < text.Count; i++)
            if (text[i] == wanted)
                return i;
        return -1;
    }

    /// <summary>What the texts say: [texts, hidden].</summary>
    internal Tensor Forward(TokenBatch texts, bool training)
    {
        using var scope = NewDisposeScope();
        Tensor ids = texts.InputIds; // [texts, T]
        Tensor places = positions.Forward(Scalars.Positions(ids.size(1), ids.device)); // [T, hidden], whatever is padding
        Residual x = encoder.Forward(tokens.Forward(ids).Plus(places), CausalView.Of(texts).Context(training)); // [texts, T, hidden]
        Tensor ends = end == LegacyEnd ? ids.argmax(-1) : ids.eq(Scalars.Of(end)).to_type(ScalarType.Int64).argmax(-1); // [texts]: the first, where several are the largest
        return x.At(all => all.gather(1, ends.view(-1, 1, 1).expand(-1, 1, Hidden)).squeeze(1)).Normed(norm).MoveToOuterDisposeScope(); // the norm of a token needs that token alone
    }
}
