using System.Runtime.InteropServices;

namespace FlatPO.Recipes.Native;

/// <summary>The threads libtorch computes with on the CPU (GNU OpenMP on Linux).</summary>
internal static partial class OpenMP
{
    private const string WaitPolicy = "OMP_WAIT_POLICY";

    /// <summary>
    /// Lets idle threads sleep instead of spin, unless the environment says otherwise. A spinning thread holds the core that the thread it waits for needs:
    /// where cores are shared, small tensors took ten times as long. libgomp reads its settings once, when it is loaded; .NET's own
    /// Environment.SetEnvironmentVariable does not reach it.
    /// </summary>
    internal static void LetIdleThreadsSleep()
    {
        if (OperatingSystem.IsLinux())
            _ = setenv(WaitPolicy, "passive", overwrite: 0);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int setenv(string name, string value, int overwrite);
}
