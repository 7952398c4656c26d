using FlatPO.Recipes;
using FlatPO.Recipes.Backbones.Blocks;
using FlatPO.Recipes.Backbones.Qwen2;

[assembly: DeclaresBackbone(typeof(Qwen2ForCausalLM))]

namespace FlatPO.Recipes.Backbones.Qwen2;

/// <summary>Qwen 2 and 2.5 (transformers <c>modeling_qwen2.py</c>): Llama's decoder with biases on query, key and value, and a window on the upper layers where asked for.</summary>
[BackboneFamily("qwen2", TaskType.CausalLM, MaxLength = "max_position_embeddings",
    Shape = ["hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "intermediate_size", "vocab_size"])]
[Tower(LayerActivations = Widths.RotaryActivations, FusedActivations = Widths.FusedRotaryActivations)]
[Site("inputs", Sites.Inputs, In = Widths.Keys, Out = "hidden_size")]
[Site("model.embed_tokens", Sites.Embedding, In = "vocab_size", Out = "hidden_size")]
[Site("model.layers.{layer}.self_attn.q_proj", Sites.Query, In = "hidden_size", Out = Widths.Queries, Bias = "1")]
[Site("model.layers.{layer}.self_attn.k_proj", Sites.Key, In = "hidden_size", Out = Widths.Keys, Bias = "1")]
[Site("model.layers.{layer}.self_attn.v_proj", Sites.Value, In = "hidden_size", Out = Widths.Keys, Bias = "1")]
[Site("model.layers.{layer}.self_attn.o_proj", Sites.Output, In = Widths.Queries, Out = "hidden_size")]
[Site("model.layers.{layer}.mlp.gate_proj", Sites.Gate, In = "hidden_size", Out = "intermediate_size")]
[Site("model.layers.{layer}.mlp.up_proj", Sites.Up, In = "hidden_size", Out = "intermediate_size")]
[Site("model.layers.{layer}.mlp.down_proj", Sites.Down, In = "intermediate_size", Out = "hidden_size")]
[Site("model.layers.{layer}.input_layernorm", Sites.Norm, In = "hidden_size", Out = "hidden_size")]
[Site("model.layers.{layer}.post_attention_layernorm", Sites.Norm, In = "hidden_size", Out = "hidden_size")]
[Site("model.norm", Sites.Norm, In = "hidden_size", Out = "hidden_size")]
[Site("lm_head", Sites.Head, In = "hidden_size", Out = "vocab_size", Tied = "tie_word_embeddings ?? 0")]
public sealed class Qwen2ForCausalLM : RotaryCausalLM
{
    /// <summary>Declares the network config.json describes.</summary>
    public Qwen2ForCausalLM(WeightTable weights)
        : base(weights, new RotaryDecoderSettings { Config = weights.Config, QueryKeyValueBias = true }.WithUpperWindow())
    {
    }
}
