using FlatPO.Recipes;
using FlatPO.Recipes.Backbones.Blocks;
using FlatPO.Recipes.Backbones.Opt;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using static TorchSharp.torch;

[assembly: DeclaresBackbone(typeof(OptForCausalLM))]

namespace FlatPO.Recipes.Backbones.Opt;

/// <summary>
/// OPT (transformers <c>modeling_opt.py</c>): learned positions counted along the attention mask, layer norm before or after each block, embeddings
/// that may be narrower than the network.
/// </summary>
[BackboneFamily("opt", TaskType.CausalLM, MaxLength = "max_position_embeddings",
    Shape = ["hidden_size", "num_hidden_layers", "num_attention_heads", "ffn_dim", "word_embed_proj_dim", "vocab_size"])]
[Tower(
    Weights = "vocab_size * (word_embed_proj_dim ?? hidden_size) + (max_position_embeddings + 2) * hidden_size"
        + " + (do_layer_norm_before ?? 1) * ((_remove_final_layer_norm ?? 0) == 0) * (layer_norm_elementwise_affine ?? 1) * 2 * hidden_size",
    LayerWeights = "(layer_norm_elementwise_affine ?? 1) * 4 * hidden_size",
    LayerActivations = "6 * hidden_size + ffn_dim")]
[Site("model.decoder.project_out", Sites.Projection, In = "hidden_size", Out = "word_embed_proj_dim", When = Projects)]
[Site("model.decoder.project_in", Sites.Projection, In = "word_embed_proj_dim", Out = "hidden_size", When = Projects)]
[Site("model.decoder.layers.{layer}.self_attn.k_proj", Sites.Key, In = "hidden_size", Out = "hidden_size", Bias = "enable_bias ?? 1")]
[Site("model.decoder.layers.{layer}.self_attn.v_proj", Sites.Value, In = "hidden_size", Out = "hidden_size", Bias = "enable_bias ?? 1")]
[Site("model.decoder.layers.{layer}.self_attn.q_proj", Sites.Query, In = "hidden_size", Out = "hidden_size", Bias = "enable_bias ?? 1")]
[Site("model.decoder.layers.{layer}.self_attn.out_proj", Sites.Output, In = "hidden_size", Out = "hidden_size", Bias = "enable_bias ?? 1")]
[Site("model.decoder.layers.{layer}.fc1", Sites.Up, In = "hidden_size", Out = "ffn_dim", Bias = "enable_bias ?? 1")]
[Site("model.decoder.layers.{layer}.fc2", Sites.Down, In = "ffn_dim", Out = "hidden_size", Bias = "enable_bias ?? 1")]
[Site("lm_head", Sites.Head, In = "word_embed_proj_dim ?? hidden_size", Out = "vocab_size", Tied = "tie_word_embeddings ?? 1")]
public sealed class OptForCausalLM : CausalLM
{
    // OPT-350m alone: its embeddings are narrower than its layers.
    private const string Projects = "(word_embed_proj_dim ?? hidden_size) != hidden_size";

    // The position table's first two rows are not used: position p lies in row p + 2, padding in row 1.
    private const long PositionOffset = 2;

    private readonly Embedding tokens;
    private readonly Embedding positions;
    private readonly Projection? narrow;
    private readonly Projection? widen;
    private readonly LayerNorm? norm;
    private readonly OptLayer[] layers;
    private readonly Projection head;
    private readonly double layerDrop;

    /// <summary>Declares the network config.json describes.</summary>
    public OptForCausalLM(WeightTable weights)
        : base(weights)
    {
        ModelConfig config = weights.Config;
        long hidden = config.Size("hidden_size"), vocabulary = config.Size("vocab_size"), embedded = config.Int("word_embed_proj_dim", hidden);
        weights.BasePrefix = "model.";
        tokens = new Embedding(weights, "model.decoder.embed_tokens", vocabulary, embedded);
        positions = new Embedding(weights, "model.decoder.embed_positions", config.Size("max_position_embeddings") + PositionOffset, hidden);
        if (embedded != hidden)
        {
            narrow = weights.Linear("model.decoder.project_out", Sites.Projection, hidden, embedded, bias: false);
            widen = weights.Linear("model.decoder.project_in", Sites.Projection, embedded, hidden, bias: false);
        }
        if (config.Flag("do_layer_norm_before", true) && !config.Flag("_remove_final_layer_norm", false))
            norm = OptLayer.Norm(weights, "model.decoder.final_layer_norm");
        layers = new OptLayer[config.Size("num_hidden_layers")];
        for (int i = 0; i < layers.Length; i++)
            layers[i] = new OptLayer(weights, $"model.decoder.layers.{i}");
        layerDrop = config.Number("layerdrop", 0);
        head = config.Flag("tie_word_embeddings", true)
            ? weights.Tied("lm_head", Sites.Head, tokens.Weight)
            : weights.Linear("lm_head", Sites.Head, embedded, vocabulary, bias: false);
    }

    /// <inheritdoc/>
    public override long? LongestRow => Config.Size("max_position_embeddings");

    /// <inheritdoc/>
    public override Tensor Logits(TokenBatch batch)
    {
        using var scope = NewDisposeScope();
        return Head(Layers(Embed(batch.InputIds, Places(batch.AttentionMask)), AttentionContext.Causally(batch, Training))).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor NextLogits(DecoderPass pass)
    {
        using var scope = NewDisposeScope();
        Tensor places = Places(pass.AttentionMask).narrow(1, pass.First, pass.Length - pass.First); // [rows, T]
        Tensor last = Layers(Embed(pass.NewIds, places), AttentionContext.Causally(pass), pass.Cache).select(1, -1); // [rows, hidden]
        return Head(last).MoveToOuterDisposeScope();
    }

    // The rows of the position table for a mask [rows, T].
    private static Tensor Places(Tensor mask)
    {
        using var scope = NewDisposeScope();
        return mask.cumsum(1).mul(mask).add(Scalars.Of(PositionOffset - 1)).MoveToOuterDisposeScope();
    }

    // [rows, T] to [rows, T, hidden]
    private Tensor Embed(Tensor ids, Tensor places)
    {
        using var scope = NewDisposeScope();
        Tensor words = tokens.Forward(ids);
        return (widen?.Forward(words) ?? words).Plus(positions.Forward(places)).MoveToOuterDisposeScope();
    }

    // x [rows, T, hidden], which is taken over, to the same
    private Tensor Layers(Tensor x, AttentionContext context, KeyValueCache? cache = null)
    {
        for (int i = 0; i < layers.Length; i++)
        {
            if (Training && layerDrop > 0 && rand(1).item<float>() < layerDrop) // a number of the CPU's generator: nothing waits for the device
                continue;
            Tensor next = layers[i].Forward(x, context with { Cache = cache?.Layer(i) });
            x.Dispose(); // autograd keeps what it needs of it
            x = next;
        }
        return x;
    }

    // [..., hidden] to [..., vocabulary]
    private Tensor Head(Tensor x)
    {
        using var scope = NewDisposeScope();
        Tensor normed = norm?.Forward(x) ?? x;
        return head.Forward(narrow?.Forward(normed) ?? normed).MoveToOuterDisposeScope();
    }
}
