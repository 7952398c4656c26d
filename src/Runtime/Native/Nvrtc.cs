using System.Runtime.InteropServices;
using System.Text;

namespace FlatPO.Recipes.Native;

/// <summary>NVIDIA's run-time compiler: CUDA C++ to a program for one architecture.</summary>
internal static unsafe partial class Nvrtc
{
    internal const string Library = "nvrtc";

    /// <summary>The compiler's version.</summary>
    internal static Version Version()
    {
        Check(nvrtcVersion(out int major, out int minor), "nvrtcVersion");
        return new Version(major, minor);
    }

    /// <summary>The cubin of a source, which may include the given headers by name. Throws what the compiler says of a source that it refuses.</summary>
    internal static byte[] Compile(string name, string source, IReadOnlyDictionary<string, string> headers, IReadOnlyList<string> options)
    {
        IntPtr program = Create(name, source, headers);
        try
        {
            using Texts arguments = new(options);
            int result = nvrtcCompileProgram(program, options.Count, arguments.Pointers);
            if (result != 0)
                throw new InvalidOperationException($"{name} does not compile with {string.Join(' ', options)}: {Log(program)}");
            Check(nvrtcGetCUBINSize(program, out nuint size), "nvrtcGetCUBINSize");
            byte[] cubin = new byte[size];
            fixed (byte* target = cubin)
                Check(nvrtcGetCUBIN(program, target), "nvrtcGetCUBIN");
            return cubin;
        }
        finally
        {
            _ = nvrtcDestroyProgram(ref program);
        }
    }

    private static IntPtr Create(string name, string source, IReadOnlyDictionary<string, string> headers)
    {
        using Texts contents = new([.. headers.Values]), names = new([.. headers.Keys]);
        Check(nvrtcCreateProgram(out IntPtr program, source, name, headers.Count, contents.Pointers, names.Pointers), "nvrtcCreateProgram");
        return program;
    }

    private static string Log(IntPtr program)
    {
        if (nvrtcGetProgramLogSize(program, out nuint size) != 0 || size == 0)
            return "it gave no reason";
        byte[] text = new byte[size];
        fixed (byte* target = text)
            _ = nvrtcGetProgramLog(program, target);
        return Encoding.UTF8.GetString(text).TrimEnd('\0', '\n');
    }

    private static void Check(int result, string function)
    {
        if (result != 0)
            throw new InvalidOperationException($"{function} returned {result}");
    }

    /// <summary>Texts as C takes them, until disposed.</summary>
    private sealed class Texts : IDisposable
    {
        private readonly IntPtr[] texts;
        private readonly GCHandle pin;

        internal Texts(IReadOnlyList<string> values)
        {
            texts = [.. values.Select(Marshal.StringToCoTaskMemUTF8)];
            pin = GCHandle.Alloc(texts, GCHandleType.Pinned);
        }

        internal IntPtr Pointers => pin.AddrOfPinnedObject();

        public void Dispose()
        {
            pin.Free();
            foreach (IntPtr text in texts)
                Marshal.FreeCoTaskMem(text);
        }
    }

    [LibraryImport(Library)]
    private static partial int nvrtcVersion(out int major, out int minor);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int nvrtcCreateProgram(out IntPtr program, string source, string name, int headers, IntPtr contents, IntPtr names);

    [LibraryImport(Library)]
    private static partial int nvrtcCompileProgram(IntPtr program, int count, IntPtr options);

    [LibraryImport(Library)]
    private static partial int nvrtcGetProgramLogSize(IntPtr program, out nuint size);

    [LibraryImport(Library)]
    private static partial int nvrtcGetProgramLog(IntPtr program, byte* text);

    [LibraryImport(Library)]
    private static partial int nvrtcGetCUBINSize(IntPtr program, out nuint size);

    [LibraryImport(Library)]
    private static partial int nvrtcGetCUBIN(IntPtr program, byte* cubin);

    [LibraryImport(Library)]
    private static partial int nvrtcDestroyProgram(ref IntPtr program);
}
