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
    Weights = "(max_position_embeddings + 2) * hidden_size",
    LayerActivations = "6 * hidden_size + ffn_dim")]
[Site("inputs", Sites.Inputs, In = "hidden_size", Out = "word_embed_proj_dim ?? hidden_size")]
[Site("model.decoder.embed_tokens", Sites.Embedding, In = "vocab_size", Out = "word_embed_proj_dim ?? hidden_size")]
[Site("model.decoder.project_out", Sites.Projection, In = "hidden_size", Out = "word_embed_proj_dim", When = Projects)]
[Site("model.decoder.project_in", Sites.Projection, In = "word_embed_proj_dim", Out = "hidden_size", When = Projects)]
[Site("model.decoder.final_layer_norm", Sites.Norm, In = "hidden_size", Out = "hidden_size", Bias = "1", When = "(do_layer_norm_before ?? 1) * ((_remove_final_layer_norm ?? 0) == 0) * (layer_norm_elementwise_affine ?? 1)")]
[Site("model.decoder.layers.{layer}.self_attn.k_proj", Sites.Key, In = "hidden_size", Out = "hidden_size", Bias = "enable_bias ?? 1")]
[Site("model.decoder.layers.{layer}.self_attn.v_proj", Sites.Value, In = "hidden_size", Out = "hidden_size", Bias = "enable_bias ?? 1")]
[Site("model.decoder.layers.{layer}.self_attn.q_proj", Sites.Query, In = "hidden_size", Out = "hidden_size", Bias = "enable_bias ?? 1")]
[Site("model.decoder.layers.{layer}.self_attn.out_proj", Sites.Output, In = "hidden_size", Out = "hidden_size", Bias = "enable_bias ?? 1")]
[Site("model.decoder.layers.{layer}.self_attn_layer_norm", Sites.Norm, In = "hidden_size", Out = "hidden_size", Bias = "1", When = "layer_norm_elementwise_affine ?? 1")]
[Site("model.decoder.layers.{layer}.fc1", Sites.Up, In = "hidden_size", Out = "ffn_dim", Bias = "enable_bias ?? 1")]
[Site("model.decoder.layers.{layer}.fc2", Sites.Down, In = "ffn_dim", Out = "hidden_size", Bias = "enable_bias ?? 1")]
[Site("model.decoder.layers.{layer}.final_layer_norm", Sites.Norm, In = "hidden_size", Out = "hidden_size", Bias = "1", When = "layer_norm_elementwise_affine ?? 1")]
[Site("lm_head", Sites.Head, In = "word_embed_proj_dim ?? hidden_size", Out = "vocab_size", Tied = "tie_word_embeddings ?? 1")]
public sealed class OptForCausalLM : CausalLM
{
    // OPT-350m alone: its embeddings are narrower than its layers.
    private const string Projects = "(word_embed_proj_dim ?? hidden_size) != hidden_size";

    // The position table's first two rows are not used: position p lies in row p + 2, padding in row 1.
    private const long PositionOffset = 2;

    private readonly EmbeddingSite tokens;
    private readonly InputSite inputs;
    private readonly Embedding positions;
    private readonly Projection? narrow;
    private readonly Projection? widen;
    private readonly LayerNorm? norm;
    private readonly LayerStack<OptLayer, AttentionContext> layers;
    private readonly Projection head;
    private readonly double layerDrop;

    /// <summary>Declares the network config.json describes.</summary>
    public OptForCausalLM(WeightTable weights)
        : base(weights)
    {
        ModelConfig config = weights.Config;
        long hidden = config.Size("hidden_size"), vocabulary = config.Size("vocab_size"), embedded = config.Int("word_embed_proj_dim", hidden);
        weights.BasePrefix = "model.";
        long heads = config.Size("num_attention_heads");
        inputs = weights.Inputs("inputs", new InputShape(embedded, config.Size("num_hidden_layers"), heads, heads, hidden / heads));
        inputs.Table = tokens = weights.Embedding("model.decoder.embed_tokens", vocabulary, embedded);
        positions = new Embedding(weights, "model.decoder.embed_positions", config.Size("max_position_embeddings") + PositionOffset, hidden);
        if (embedded != hidden)
        {
            narrow = weights.Linear("model.decoder.project_out", Sites.Projection, hidden, embedded, bias: false);
            widen = weights.Linear("model.decoder.project_in", Sites.Projection, embedded, hidden, bias: false);
        }
        if (config.Flag("do_layer_norm_before", true) && !config.Flag("_remove_final_layer_norm", false))
            norm = OptLayer.Norm(weights, "model.decoder.final_layer_norm");
        layers = new(weights, config.Size("num_hidden_layers"), i => new OptLayer(weights, $"model.decoder.layers.{i}"), (layer, x, context) => layer.Forward(x, context));
        layerDrop = config.Number("layerdrop", 0);
        head = config.Flag("tie_word_embeddings", true)
            ? weights.Tied("lm_head", Sites.Head, tokens.Weight)
            : weights.Linear("lm_head", Sites.Head, embedded, vocabulary, bias: false);
    }

    /// <inheritdoc/>
    public override long? LongestRow => Config.Size("max_position_embeddings") - inputs.Places;

    /// <inheritdoc/>
    protected override InputSite? Inputs => inputs;

    /// <inheritdoc/>
    protected override HeadInput? BeforeHead(TokenBatch batch)
    {
        using var scope = NewDisposeScope();
        CausalView view = CausalView.Of(batch, inputs);
        return new HeadInput(Normed(Layers(Embed(inputs.Before(tokens.Forward(batch.InputIds)), view), view.Context(Training))), head).Kept();
    }

    /// <inheritdoc/>
    public override Tensor NextLogits(DecoderPass pass)
    {
        using var scope = NewDisposeScope();
        CausalView view = CausalView.Of(pass, inputs);
        Tensor words = tokens.Forward(pass.NewIds);
        Tensor x = Embed(pass.First == 0 ? inputs.Before(words) : words, view);
        return head.Forward(Normed(Layers(x, view.Context(Training), pass.Cache).At(all => all.select(1, -1)))).MoveToOuterDisposeScope(); // of [rows, hidden]
    }

    // words [rows, T, embedded] to [rows, T, hidden]
    private Tensor Embed(Tensor words, CausalView view)
    {
        using var scope = NewDisposeScope();
        Tensor mask = view.Tokens; // positions are counted along it
        Tensor places = mask.cumsum(1).mul(mask).add(Scalars.Of(PositionOffset - 1)).narrow(1, view.First, view.Length - view.First); // [rows, T]
        return (widen?.Forward(words) ?? words).Plus(positions.Forward(places)).MoveToOuterDisposeScope();
    }

    // embedded [rows, T, hidden], which is taken over, to the same
    private Residual Layers(Tensor embedded, AttentionContext context, KeyValueCache? cache = null)
    {
        Residual x = new(embedded);
        KeysBefore?[] before = KeysBefore.Of(inputs, cache, layers.Count);
        for (int i = 0; i < layers.Count; i++)
        {
            if (Training && layerDrop > 0 && IsDropped())
                continue;
            x = layers.Forward(i, x, context.With(before[i]));
        }
        return x;
    }

    // by a number of the CPU's generator: nothing waits for the device
    private bool IsDropped()
    {
        Recording.Refuse("layerdrop leaves out other layers in each pass");
        return rand(1).item<float>() < layerDrop;
    }

    // [..., hidden] to what the head reads, [..., embedded]
    private Tensor Normed(Residual x)
    {
        Tensor normed = norm is null ? x.Sum() : x.Normed(norm);
        return narrow?.Forward(normed) ?? normed;
    }
}
