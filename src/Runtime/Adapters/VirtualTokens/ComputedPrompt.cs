using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters.VirtualTokens;

/// <summary>
/// What trained tensors are made into, which is all that an adapter file holds of them (as in peft). Once it has been read from a file it stands as read:
/// it can be used, not trained on.
/// </summary>
internal sealed class ComputedPrompt(string name, IReadOnlyList<long> shape, Func<Func<TrainableTensor, Tensor>, Tensor> make) : IDisposable
{
    private Tensor? read;

    /// <summary>What an adapter file holds.</summary>
    internal FileTensor File => new(name, shape, () => read ?? make(tensor => tensor.Value), Keep);

    /// <summary>What it is now, made of what <paramref name="numbers"/> gives for each trained tensor. FPO4021 for training on one that was read.</summary>
    internal Tensor Value(Func<TrainableTensor, Tensor> numbers, bool training) => read is null
        ? make(numbers)
        : training ? throw new RecipeException("FPO4021", $"'{name}' was read from an adapter folder, which holds what the trained layers make and not the layers; train a fresh recipe instead, or only evaluate this one")
        : read;

    /// <inheritdoc/>
    public void Dispose() => read?.Dispose();

    private void Keep(Tensor numbers)
    {
        read?.Dispose();
        read = numbers.clone().DetachFromDisposeScope();
    }
}
