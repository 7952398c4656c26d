using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Step.Small;

/// <summary>
/// A decoder with LoRA as one writes it on TorchSharp without this library, an operation after the other: what the library's steps are measured against. It is not to be made faster.
/// </summary>
internal abstract class HandModel : IDisposable
{
    internal const int Rank = 8;
    internal const double Alpha = 16;

    private readonly Dictionary<string, Tensor> weights = [];

    protected HandModel(string folder, string embeddings)
    {
        using Checkpoint checkpoint = Checkpoint.Open(folder);
        (Config, Head) = (checkpoint.Config, embeddings);
        string[] names = [.. checkpoint.Names];
        foreach ((string name, Tensor weight) in names.Zip(checkpoint.Read(names, CPU, ScalarType.Float32)))
            weights[name] = weight;
        (Hidden, Layers, Heads) = (Config.Size("hidden_size"), Config.Int("num_hidden_layers"), Config.Int("num_attention_heads"));
        Initial = [.. Targets.SelectMany(module => (Tensor[])[randn(Rank, Weight(module).size(1)).mul_(0.02), zeros(Weight(module).size(0), Rank)])];
    }

    /// <summary>Modules with an adapter.</summary>
    internal abstract IReadOnlyList<string> Targets { get; }

    /// <summary>A and B of each, before training.</summary>
    internal IReadOnlyList<Tensor> Initial { get; }

    /// <summary>A and B of each, as the next pass is to see them.</summary>
    internal IReadOnlyList<Tensor> Adapters { get; set; } = [];

    protected ModelConfig Config { get; }

    protected long Hidden { get; }

    protected long Layers { get; }

    protected long Heads { get; }

    private string Head { get; }

    /// <summary>Mean cross-entropy of each token given those before it; ids [rows, T].</summary>
    internal Tensor Loss(Tensor ids)
    {
        Tensor logits = functional.linear(Last(ids), Weight(Head)); // [rows, T, vocabulary]
        return functional.cross_entropy(logits.narrow(1, 0, ids.size(1) - 1).flatten(0, 1), ids.narrow(1, 1, ids.size(1) - 1).flatten());
    }

    public void Dispose()
    {
        foreach (Tensor tensor in weights.Values.Concat(Initial))
            tensor.Dispose();
    }

    /// <summary>What the head reads: [rows, T, hidden].</summary>
    protected abstract Tensor Last(Tensor ids);

    protected Tensor Weight(string module) => weights[$"{module}.weight"];

    protected Tensor? Bias(string module) => weights.GetValueOrDefault($"{module}.bias");

    protected Tensor Embed(Tensor ids, string module) => Weight(module).index_select(0, ids.flatten()).view(ids.size(0), ids.size(1), -1);

    protected Tensor Linear(Tensor x, string module)
    {
        Tensor y = functional.linear(x, Weight(module), Bias(module));
        int place = Targets.ToList().IndexOf(module);
        return place < 0 ? y : y + functional.linear(functional.linear(x, Adapters[2 * place]), Adapters[2 * place + 1]) * (Alpha / Rank);
    }

    /// <summary>x [rows, T, heads · width] to [rows, heads, T, width].</summary>
    protected static Tensor Split(Tensor x, long heads) => x.view(x.size(0), x.size(1), heads, -1).transpose(1, 2);

    /// <summary>Causal attention, and its output projection: [rows, heads, T, width] each to [rows, T, hidden].</summary>
    protected Tensor Attend(Tensor q, Tensor k, Tensor v, string output) =>
        Linear(functional.scaled_dot_product_attention(q, k, v, is_casual: true).transpose(1, 2).flatten(2), output);
}
