using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters.VisualPrompt;

/// <summary>Trained vectors beside the patches of every image.</summary>
public sealed class VisualPrompts : PromptAdapter
{
    internal VisualPrompts(TrainableTensor prompts) => (Prompts, Tensors) = (prompts, [prompts]);

    /// <summary>The vectors, float32 [layers, virtual tokens, width]; one layer where the first one's are handed on.</summary>
    public TrainableTensor Prompts { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<TrainableTensor> Tensors { get; }

    /// <inheritdoc/>
    public override int Places => (int)Prompts.Shape[1];

    /// <inheritdoc/>
    public override Tensor Vectors() => Prompts.Live.select(0, 0);

    /// <inheritdoc/>
    public override Tensor? VectorsBefore(int layer) => Prompts.Shape[0] > 1 ? Prompts.Live.select(0, layer) : null;
}
