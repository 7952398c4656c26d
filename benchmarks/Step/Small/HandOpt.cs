using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Step.Small;

/// <summary>OPT by hand, adapted at queries and values.</summary>
internal sealed class HandOpt(string folder) : HandModel(folder, "model.decoder.embed_tokens")
{
    private const int FirstPosition = 2;

    private string[]? targets;

    internal override IReadOnlyList<string> Targets =>
        targets ??= [.. from layer in Enumerable.Range(0, (int)Layers) from module in (string[])["v_proj", "q_proj"] select $"model.decoder.layers.{layer}.self_attn.{module}"];

    protected override Tensor Last(Tensor ids)
    {
        Tensor x = Embed(ids, "model.decoder.embed_tokens") + Weight("model.decoder.embed_positions").narrow(0, FirstPosition, ids.size(1));
        for (int layer = 0; layer < Layers; layer++)
            x = Layer(x, $"model.decoder.layers.{layer}");
        return Norm(x, "model.decoder.final_layer_norm");
    }

    private Tensor Layer(Tensor x, string path)
    {
        Tensor normed = Norm(x, $"{path}.self_attn_layer_norm");
        Tensor q = Split(Linear(normed, $"{path}.self_attn.q_proj"), Heads), k = Split(Linear(normed, $"{path}.self_attn.k_proj"), Heads), v = Split(Linear(normed, $"{path}.self_attn.v_proj"), Heads);
        x = x + Attend(q, k, v, $"{path}.self_attn.out_proj");
        return x + Linear(functional.relu(Linear(Norm(x, $"{path}.final_layer_norm"), $"{path}.fc1")), $"{path}.fc2");
    }

    private Tensor Norm(Tensor x, string module) => functional.layer_norm(x, [Hidden], Weight(module), Bias(module), 1e-5);
}
