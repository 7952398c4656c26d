using FlatPO.Recipes;
using FlatPO.Recipes.Backbones.Blocks;
using FlatPO.Recipes.Backbones.Mistral;
using FlatPO.Recipes.Checkpoints;

[assembly: DeclaresBackbone(typeof(MistralForCausalLM))]

namespace FlatPO.Recipes.Backbones.Mistral;

/// <summary>Mistral (transformers <c>modeling_mistral.py</c>): Llama's decoder without biases, with a window on every layer where <c>sliding_window</c> is not null.</summary>
[BackboneFamily("mistral", TaskType.CausalLM, MaxLength = "max_position_embeddings",
    Shape = ["hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim", "intermediate_size", "vocab_size"])]
[Tower(LayerActivations = Widths.RotaryActivations, FusedActivations = Widths.FusedRotaryActivations)]
[Site("inputs", Sites.Inputs, In = Widths.Keys, Out = "hidden_size")]
[Site("model.embed_tokens", Sites.Embedding, In = "vocab_size", Out = "hidden_size")]
[Site("model.layers.{layer}.self_attn.q_proj", Sites.Query, In = "hidden_size", Out = Widths.Queries)]
[Site("model.layers.{layer}.self_attn.k_proj", Sites.Key, In = "hidden_size", Out = Widths.Keys)]
[Site("model.layers.{layer}.self_attn.v_proj", Sites.Value, In = "hidden_size", Out = Widths.Keys)]
[Site("model.layers.{layer}.self_attn.o_proj", Sites.Output, In = Widths.Queries, Out = "hidden_size")]
[Site("model.layers.{layer}.mlp.gate_proj", Sites.Gate, In = "hidden_size", Out = "intermediate_size")]
[Site("model.layers.{layer}.mlp.up_proj", Sites.Up, In = "hidden_size", Out = "intermediate_size")]
[Site("model.layers.{layer}.mlp.down_proj", Sites.Down, In = "intermediate_size", Out = "hidden_size")]
[Site("model.layers.{layer}.input_layernorm", Sites.Norm, In = "hidden_size", Out = "hidden_size")]
[Site("model.layers.{layer}.post_attention_layernorm", Sites.Norm, In = "hidden_size", Out = "hidden_size")]
[Site("model.norm", Sites.Norm, In = "hidden_size", Out = "hidden_size")]
[Site("lm_head", Sites.Head, In = "hidden_size", Out = "vocab_size", Tied = "tie_word_embeddings ?? 0")]
public sealed class MistralForCausalLM : RotaryCausalLM
{
    private const long DefaultWindow = 4096;

    /// <summary>Declares the network config.json describes.</summary>
    public MistralForCausalLM(WeightTable weights)
        : base(weights, SettingsOf(weights.Config))
    {
    }

    private static RotaryDecoderSettings SettingsOf(ModelConfig config) => new()
    {
        Config = config,
        Window = config.Has("sliding_window") ? config.Size("sliding_window") : config.Mentions("sliding_window") ? null : DefaultWindow,
        IsWindowed = _ => true,
    };
}
