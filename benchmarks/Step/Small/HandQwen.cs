using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Step.Small;

/// <summary>Qwen2 by hand, adapted at every linear layer.</summary>
internal sealed class HandQwen(string folder) : HandModel(folder, "model.embed_tokens")
{
    private const double Epsilon = 1e-6;
    private const double Theta = 10_000;

    private static readonly string[] Adapted = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"];

    private string[]? targets;

    internal override IReadOnlyList<string> Targets => targets ??= [.. from layer in Enumerable.Range(0, (int)Layers) from module in Adapted select $"model.layers.{layer}.{module}"];

    protected override Tensor Last(Tensor ids)
    {
        Tensor x = Embed(ids, "model.embed_tokens");
        (Tensor cosine, Tensor sine) = Turns(ids.size(1));
        for (int layer = 0; layer < Layers; layer++)
            x = Layer(x, $"model.layers.{layer}", cosine, sine);
        return Norm(x, "model.norm");
    }

    private Tensor Layer(Tensor x, string path, Tensor cosine, Tensor sine)
    {
        long shared = Config.Int("num_key_value_heads");
        Tensor normed = Norm(x, $"{path}.input_layernorm");
        Tensor q = Turned(Split(Linear(normed, $"{path}.self_attn.q_proj"), Heads), cosine, sine), k = Turned(Split(Linear(normed, $"{path}.self_attn.k_proj"), shared), cosine, sine);
        Tensor v = Split(Linear(normed, $"{path}.self_attn.v_proj"), shared);
        x = x + Attend(q, k.repeat_interleave(Heads / shared, 1), v.repeat_interleave(Heads / shared, 1), $"{path}.self_attn.o_proj");
        normed = Norm(x, $"{path}.post_attention_layernorm");
        return x + Linear(functional.silu(Linear(normed, $"{path}.mlp.gate_proj")) * Linear(normed, $"{path}.mlp.up_proj"), $"{path}.mlp.down_proj");
    }

    private Tensor Norm(Tensor x, string module) => x * (x.pow(2).mean([-1], keepdim: true) + Epsilon).rsqrt() * Weight(module);

    // Rotary positions: [T, head width] each.
    private (Tensor Cosine, Tensor Sine) Turns(long length)
    {
        long width = Hidden / Heads;
        Tensor angles = outer(arange(length, float32), pow(Theta, arange(0, width, 2, float32) / -width));
        angles = cat([angles, angles], -1);
        return (angles.cos(), angles.sin());
    }

    private static Tensor Turned(Tensor x, Tensor cosine, Tensor sine)
    {
        Tensor[] halves = x.chunk(2, -1);
        return x * cosine + cat([-halves[1], halves[0]], -1) * sine;
    }
}
