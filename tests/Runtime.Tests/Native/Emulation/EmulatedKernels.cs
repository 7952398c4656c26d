using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using FlatPO.Recipes.Native;

namespace FlatPO.Recipes.Tests.Native.Emulation;

/// <summary>
/// The library's kernels on the CPU, from the sources that a GPU gets: compiled as C++ beside emulator.h, which stands in for CUDA. While it is open on a thread, operations on the CPU launch kernels as
/// they would on a device.
/// </summary>
internal static unsafe partial class EmulatedKernels
{
    private const string Compiler = "g++";

    private static readonly ConcurrentDictionary<string, Lazy<Dictionary<string, IntPtr>>> Compiled = [];
    private static readonly Lock OneAtATime = new(); // a block's shared memory is the library's own
    private static readonly Lazy<bool> HasCompiler = new(() => OperatingSystem.IsLinux() && TryRun(["--version"], out _));

    /// <summary>Until it is disposed, kernels of this thread run here. The test is skipped where there is no compiler.</summary>
    internal static IDisposable Open()
    {
        Skip.IfNot(HasCompiler.Value, $"kernels are emulated on Linux, where {Compiler} can be run");
        return Kernels.RunBy(Launch);
    }

    private static void Launch((string File, string Function) kernel, (uint X, uint Y, uint Z) grid, uint block, uint sharedBytes, void** arguments)
    {
        Dictionary<string, IntPtr> functions = Compiled.GetOrAdd(kernel.File, static file => new Lazy<Dictionary<string, IntPtr>>(() => Compile(file))).Value;
        uint* extent = stackalloc uint[] { grid.X, grid.Y, grid.Z };
        lock (OneAtATime)
            ((delegate* unmanaged[Cdecl]<uint*, uint, void**, void>)functions[kernel.Function])(extent, block, arguments);
    }

    // A function of the library for each kernel of a source, which takes its arguments as a launch does: by their addresses.
    private static Dictionary<string, IntPtr> Compile(string file)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("flatpo-emulated-");
        try
        {
            string sources = Path.Combine(AppContext.BaseDirectory, "Native", "Emulation");
            foreach ((string name, string text) in KernelSource.AllHeaders)
                File.WriteAllText(Path.Combine(folder.FullName, name), text);
            foreach (string own in Directory.GetFiles(sources, "*.*h"))
                File.Copy(own, Path.Combine(folder.FullName, Path.GetFileName(own)), overwrite: true);
            string code = DynamicShared().Replace(KernelSource.Of(file).Code, "EMULATED_SHARED($1, $2);");
            string program = Path.Combine(folder.FullName, "program.cpp"), expanded = Path.Combine(folder.FullName, "expanded.cpp"), library = Path.Combine(folder.FullName, "program.so");
            File.WriteAllText(program, $"#include \"emulator.h\"\n{code}");
            Run(["-std=c++17", "-E", "-P", "-o", expanded, program]);
            string whole = File.ReadAllText(expanded);
            Match[] kernels = [.. Entry().Matches(whole).Cast<Match>()];
            File.WriteAllText(expanded, whole.Replace("__global__", "", StringComparison.Ordinal) + string.Concat(kernels.Select(Launcher)));
            Run(["-std=c++17", "-O2", "-fno-fast-math", "-ffp-contract=off", "-shared", "-fPIC", "-w", "-o", library, expanded]);
            IntPtr loaded = NativeLibrary.Load(library); // until the process ends
            return kernels.Select(kernel => kernel.Groups[1].Value).ToDictionary(name => name, name => NativeLibrary.GetExport(loaded, $"launch_{name}"), StringComparer.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Launcher(Match kernel)
    {
        string[] types = [.. kernel.Groups[2].Value.Split(',').Select(parameter => Name().Replace(parameter.Trim(), ""))];
        StringBuilder text = new();
        text.Append($"\nextern \"C\" void launch_{kernel.Groups[1].Value}(const unsigned* grid, unsigned block, void** a) {{ emulated::launch(grid, block, [&] {{ {kernel.Groups[1].Value}(");
        text.AppendJoin(", ", types.Select((type, i) => $"*static_cast<{type.Trim()}*>(a[{i}])"));
        return text.Append("); }); }").ToString();
    }

    private static void Run(IReadOnlyList<string> arguments)
    {
        if (!TryRun(arguments, out string said))
            throw new InvalidOperationException($"{Compiler} {string.Join(' ', arguments)}: {said}");
    }

    private static bool TryRun(IReadOnlyList<string> arguments, out string said)
    {
        said = "";
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(Compiler, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            process.OutputDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
            said = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    [GeneratedRegex(@"extern\s+""C""\s+__global__\s+void\s+(\w+)\s*\(([^)]*)\)")]
    private static partial Regex Entry();

    [GeneratedRegex(@"\w+\s*$")]
    private static partial Regex Name();

    [GeneratedRegex(@"extern __shared__ (\w+) (\w+)\[\];")]
    private static partial Regex DynamicShared();
}
