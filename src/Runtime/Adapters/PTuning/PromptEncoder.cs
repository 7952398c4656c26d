using FlatPO.Recipes.Adapters.VirtualTokens;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Adapters.PTuning;

/// <summary>A prompt made of trained vectors by three layers, with ReLU between them.</summary>
public sealed class PromptEncoder : PromptAdapter
{
    private readonly ComputedPrompt computed;

    internal PromptEncoder(TrainableTensor embedding, IReadOnlyList<(TrainableTensor Weight, TrainableTensor Bias)> layers)
    {
        (Embedding, Layers) = (embedding, layers);
        Tensors = [embedding, .. layers.SelectMany(layer => (TrainableTensor[])[layer.Weight, layer.Bias])];
        computed = new ComputedPrompt("prompt_embeddings", embedding.Shape, Encode);
    }

    /// <summary>The vectors the prompt is made of, float32 [virtual tokens, width].</summary>
    public TrainableTensor Embedding { get; }

    /// <summary>The layers: float32 [out, in] and [out] each.</summary>
    public IReadOnlyList<(TrainableTensor Weight, TrainableTensor Bias)> Layers { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<TrainableTensor> Tensors { get; }

    /// <inheritdoc/>
    public override IEnumerable<FileTensor> FileTensors => [computed.File];

    /// <inheritdoc/>
    public override int Places => (int)Embedding.Shape[0];

    /// <inheritdoc/>
    public override Tensor Vectors() => computed.Value(tensor => tensor.Live, Training);

    /// <inheritdoc/>
    public override void Dispose()
    {
        computed.Dispose();
        base.Dispose();
    }

    // [virtual tokens, width] → [virtual tokens, size] → the same → [virtual tokens, width]
    private Tensor Encode(Func<TrainableTensor, Tensor> numbers)
    {
        using var scope = NewDisposeScope();
        Tensor x = numbers(Embedding);
        for (int i = 0; i < Layers.Count; i++)
        {
            Tensor y = functional.linear(x, numbers(Layers[i].Weight), numbers(Layers[i].Bias));
            x = i < Layers.Count - 1 ? functional.relu(y) : y;
        }
        return x.MoveToOuterDisposeScope();
    }
}
