using FlatPO.Recipes;
using FlatPO.Recipes.Backbones.Blocks;
using FlatPO.Recipes.Backbones.Llama;
using FlatPO.Recipes.Checkpoints;

[assembly: DeclaresBackbone(typeof(LlamaForCausalLM))]

namespace FlatPO.Recipes.Backbones.Llama;

/// <summary>Llama 1 to 3 and models of their shape (transformers <c>modeling_llama.py</c>): optional biases, scaled rotary positions, head tied or not.</summary>
[BackboneFamily("llama", TaskType.CausalLM, MaxLength = "max_position_embeddings",
    Shape = ["hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim", "intermediate_size", "vocab_size"])]
[Tower(LayerActivations = Widths.RotaryActivations, FusedActivations = Widths.FusedRotaryActivations)]
[Site("inputs", Sites.Inputs, In = Widths.Keys, Out = "hidden_size")]
[Site("model.embed_tokens", Sites.Embedding, In = "vocab_size", Out = "hidden_size")]
[Site("model.layers.{layer}.self_attn.q_proj", Sites.Query, In = "hidden_size", Out = Widths.Queries, Bias = "attention_bias ?? 0")]
[Site("model.layers.{layer}.self_attn.k_proj", Sites.Key, In = "hidden_size", Out = Widths.Keys, Bias = "attention_bias ?? 0")]
[Site("model.layers.{layer}.self_attn.v_proj", Sites.Value, In = "hidden_size", Out = Widths.Keys, Bias = "attention_bias ?? 0")]
[Site("model.layers.{layer}.self_attn.o_proj", Sites.Output, In = Widths.Queries, Out = "hidden_size", Bias = "attention_bias ?? 0")]
[Site("model.layers.{layer}.mlp.gate_proj", Sites.Gate, In = "hidden_size", Out = "intermediate_size", Bias = "mlp_bias ?? 0")]
[Site("model.layers.{layer}.mlp.up_proj", Sites.Up, In = "hidden_size", Out = "intermediate_size", Bias = "mlp_bias ?? 0")]
[Site("model.layers.{layer}.mlp.down_proj", Sites.Down, In = "intermediate_size", Out = "hidden_size", Bias = "mlp_bias ?? 0")]
[Site("model.layers.{layer}.input_layernorm", Sites.Norm, In = "hidden_size", Out = "hidden_size")]
[Site("model.layers.{layer}.post_attention_layernorm", Sites.Norm, In = "hidden_size", Out = "hidden_size")]
[Site("model.norm", Sites.Norm, In = "hidden_size", Out = "hidden_size")]
[Site("lm_head", Sites.Head, In = "hidden_size", Out = "vocab_size", Tied = "tie_word_embeddings ?? 0")]
public sealed class LlamaForCausalLM : RotaryCausalLM
{
    /// <summary>Declares the network config.json describes.</summary>
    public LlamaForCausalLM(WeightTable weights)
        : base(weights, SettingsOf(weights.Config))
    {
    }

    private static RotaryDecoderSettings SettingsOf(ModelConfig config) => new()
    {
        Config = config,
        QueryKeyValueBias = config.Flag("attention_bias", false),
        OutputBias = config.Flag("attention_bias", false),
        FeedForwardBias = config.Flag("mlp_bias", false),
    };
}
