using static TorchSharp.torch;

namespace FlatPO.Recipes.Batches;

/// <summary>Tensors of one micro-batch on the device.</summary>
public interface IBatch : IDisposable
{
    /// <summary>How many predictions the batch's loss is a sum of.</summary>
    long Supervised { get; }

    /// <summary>The towers that its examples pass through: all of them, but for a batch of text alone on a backbone that also sees.</summary>
    Towers Fed => Towers.All;

    /// <summary>The same batch with other tensors of the same sizes, each made of the one it stands for.</summary>
    IBatch Each(Func<Tensor, Tensor> change);
}
