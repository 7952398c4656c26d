using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters.PromptTuning;

/// <summary>Trained vectors that are read before every text.</summary>
public sealed class PromptEmbedding : PromptAdapter
{
    internal PromptEmbedding(TrainableTensor embeddings) => (Embeddings, Tensors) = (embeddings, [embeddings]);

    /// <summary>The vectors, float32 [virtual tokens, width].</summary>
    public TrainableTensor Embeddings { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<TrainableTensor> Tensors { get; }

    /// <inheritdoc/>
    public override IEnumerable<FileTensor> FileTensors => [FileTensor.Of(Embeddings, "prompt_embeddings")];

    /// <inheritdoc/>
    public override int Places => (int)Embeddings.Shape[0];

    /// <inheritdoc/>
    public override Tensor Vectors() => Embeddings.Live;
}
