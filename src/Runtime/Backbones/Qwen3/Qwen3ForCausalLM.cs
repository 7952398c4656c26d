using FlatPO.Recipes;
using FlatPO.Recipes.Backbones.Blocks;
using FlatPO.Recipes.Backbones.Qwen3;
using FlatPO.Recipes.Checkpoints;

[assembly: DeclaresBackbone(typeof(Qwen3ForCausalLM))]

namespace FlatPO.Recipes.Backbones.Qwen3;

/// <summary>
/// Qwen 3, the dense models (transformers <c>modeling_qwen3.py</c>): Llama's decoder with a norm on each head of the queries and keys, optional biases in attention, and a
/// window on the upper layers where asked for.
/// </summary>
[BackboneFamily("qwen3", TaskType.CausalLM, MaxLength = "max_position_embeddings",
    Shape = ["hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim", "intermediate_size", "vocab_size"])]
[Tower( // as Llama's, and the inputs of the norms of queries and keys
    LayerActivations = "2 * hidden_size + 3 * " + Queries + " + 3 * " + Keys + " + 3 * intermediate_size",
    FusedActivations = "3 * hidden_size + 3 * " + Queries + " + 3 * " + Keys + " + 2 * intermediate_size")]
[Site("inputs", Sites.Inputs, In = Keys, Out = "hidden_size")]
[Site("model.embed_tokens", Sites.Embedding, In = "vocab_size", Out = "hidden_size")]
[Site("model.layers.{layer}.self_attn.q_proj", Sites.Query, In = "hidden_size", Out = Queries, Bias = "attention_bias ?? 0")]
[Site("model.layers.{layer}.self_attn.k_proj", Sites.Key, In = "hidden_size", Out = Keys, Bias = "attention_bias ?? 0")]
[Site("model.layers.{layer}.self_attn.v_proj", Sites.Value, In = "hidden_size", Out = Keys, Bias = "attention_bias ?? 0")]
[Site("model.layers.{layer}.self_attn.o_proj", Sites.Output, In = Queries, Out = "hidden_size", Bias = "attention_bias ?? 0")]
[Site("model.layers.{layer}.self_attn.q_norm", Sites.Norm, In = Head, Out = Head)]
[Site("model.layers.{layer}.self_attn.k_norm", Sites.Norm, In = Head, Out = Head)]
[Site("model.layers.{layer}.mlp.gate_proj", Sites.Gate, In = "hidden_size", Out = "intermediate_size")]
[Site("model.layers.{layer}.mlp.up_proj", Sites.Up, In = "hidden_size", Out = "intermediate_size")]
[Site("model.layers.{layer}.mlp.down_proj", Sites.Down, In = "intermediate_size", Out = "hidden_size")]
[Site("model.layers.{layer}.input_layernorm", Sites.Norm, In = "hidden_size", Out = "hidden_size")]
[Site("model.layers.{layer}.post_attention_layernorm", Sites.Norm, In = "hidden_size", Out = "hidden_size")]
[Site("model.norm", Sites.Norm, In = "hidden_size", Out = "hidden_size")]
[Site("lm_head", Sites.Head, In = "hidden_size", Out = "vocab_size", Tied = "tie_word_embeddings ?? 0")]
public sealed class Qwen3ForCausalLM : RotaryCausalLM
{
    // Qwen3Config's own default: unlike the other decoders' heads, these need not share hidden_size out.
    private const long DefaultHeadWidth = 128;
    private const string Head = "(head_dim ?? 128)";
    private const string Queries = "num_attention_heads * " + Head;
    private const string Keys = "(num_key_value_heads ?? num_attention_heads) * " + Head;

    /// <summary>Declares the network config.json describes.</summary>
    public Qwen3ForCausalLM(WeightTable weights)
        : base(weights, SettingsOf(weights.Config))
    {
    }

    private static RotaryDecoderSettings SettingsOf(ModelConfig config) => new RotaryDecoderSettings
    {
        Config = config,
        QueryKeyValueBias = config.Flag("attention_bias", false),
        OutputBias = config.Flag("attention_bias", false),
        HeadNorms = true,
        DefaultHeadWidth = DefaultHeadWidth,
    }.WithUpperWindow();
}
