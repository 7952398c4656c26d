using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests;

/// <summary>Tensors that live, once what earlier tests left to the garbage collector is gone.</summary>
internal static class LiveTensors
{
    internal static long Count()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return Tensor.TotalCount;
    }
}
