using System.Runtime.CompilerServices;
using FlatPO.Recipes.Native;
using TorchSharp;

// libtorch's default generator is one for the process, and dropout draws from it: tests that compare runs bit for bit take turns.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Recipes.Tests;

/// <summary>The tensors of the tests are small: waking a second thread costs more than it computes.</summary>
internal static class OneThread
{
    [ModuleInitializer]
    internal static void Set()
    {
        TorchLibraries.Require();
        torch.set_num_threads(1);
    }
}
