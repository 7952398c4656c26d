using FlatPO.Recipes.Adapters.VirtualTokens;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Adapters.PrefixTuning;

/// <summary>Trained keys and values of every layer, or the layers that make them.</summary>
public sealed class Prefix : PrefixAdapter
{
    private readonly InputShape shape;
    private readonly ComputedPrompt? computed;

    internal Prefix(TrainableTensor embedding, IReadOnlyList<(TrainableTensor Weight, TrainableTensor Bias)> layers, InputShape shape)
    {
        (Embedding, Layers, this.shape) = (embedding, layers, shape);
        Tensors = [embedding, .. layers.SelectMany(layer => (TrainableTensor[])[layer.Weight, layer.Bias])];
        if (layers.Count > 0)
            computed = new ComputedPrompt("prompt_embeddings", [embedding.Shape[0], layers[^1].Bias.Count], Make);
    }

    /// <summary>
    /// Keys and values of all layers, float32 [virtual tokens, layers · 2 · key width] in the order layer, key before value, head; or what
    /// <see cref="Layers"/> make them of, [virtual tokens, key width].
    /// </summary>
    public TrainableTensor Embedding { get; }

    /// <summary>The layers that make them, with tanh between: float32 [out, in] and [out] each. None without <see cref="PrefixTuningMethod.PrefixProjection"/>.</summary>
    public IReadOnlyList<(TrainableTensor Weight, TrainableTensor Bias)> Layers { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<TrainableTensor> Tensors { get; }

    /// <inheritdoc/>
    public override IEnumerable<FileTensor> FileTensors => [computed?.File ?? FileTensor.Of(Embedding, "prompt_embeddings")];

    /// <inheritdoc/>
    public override int Places => (int)Embedding.Shape[0];

    /// <inheritdoc/>
    public override Tensor KeysAndValues()
    {
        using var scope = NewDisposeScope();
        Tensor all = computed?.Value(tensor => tensor.Live, Training) ?? Embedding.Live; // [virtual tokens, layers · 2 · heads · width]
        return all.view(Places, shape.Layers * 2, shape.KeyValueHeads, shape.HeadWidth).permute(1, 2, 0, 3).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        computed?.Dispose();
        base.Dispose();
    }

    private Tensor Make(Func<TrainableTensor, Tensor> numbers)
    {
        using var scope = NewDisposeScope();
        Tensor inner = functional.linear(numbers(Embedding), numbers(Layers[0].Weight), numbers(Layers[0].Bias)).tanh();
        return functional.linear(inner, numbers(Layers[1].Weight), numbers(Layers[1].Bias)).MoveToOuterDisposeScope();
    }
}
