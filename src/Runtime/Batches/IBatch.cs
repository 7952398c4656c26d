namespace FlatPO.Recipes.Batches;

/// <summary>Tensors of one micro-batch on the device.</summary>
public interface IBatch : IDisposable
{
    /// <summary>How many predictions the batch's loss is a sum of.</summary>
    long Supervised { get; }
}
