using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Native;

/// <summary>Kernels from source to program. NVIDIA's compiler needs no GPU.</summary>
public sealed class KernelTests : IDisposable
{
    private const string Architecture = "sm_90";
    private const string Doubles = """
        #include "numbers.cuh"
        extern "C" __global__ void doubles(float* x) { x[threadIdx.x] *= 2.0f; }
        """;

    private readonly TemporaryFolder folder = new();
    private readonly string? cacheBefore = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");

    public KernelTests() => Environment.SetEnvironmentVariable("XDG_CACHE_HOME", folder.Path);

    [Fact]
    public void The_cpu_has_none_and_says_so()
    {
        Assert.False(Kernels.Usable(ones(2), out string? reason));
        Assert.Contains("CUDA", reason);
    }

    [Fact]
    public void A_source_that_is_not_there_is_an_error_that_names_those_that_are() =>
        Assert.All(KernelSource.All, name => Assert.Contains(name, Assert.Throws<ArgumentException>(() => KernelSource.Of("none.cu")).Message));

    [SkippableTheory]
    [InlineData("sm_75"), InlineData("sm_80"), InlineData(Architecture)]
    public void Every_source_compiles(string architecture)
    {
        NeedCompiler();
        Assert.NotEmpty(KernelSource.All);
        Assert.All(KernelSource.All, name => Assert.NotEmpty(KernelSource.Of(name).Cubin(architecture)));
    }

    [SkippableFact]
    public void A_source_that_does_not_compile_is_an_error_with_the_compilers_words()
    {
        NeedCompiler();
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => new KernelSource("wrong.cu", "extern \"C\" __global__ void f() { nonsense; }").Cubin(Architecture));
        Assert.Contains("wrong.cu", error.Message);
        Assert.Contains("nonsense", error.Message);
    }

    [SkippableFact]
    public void What_was_compiled_is_read_from_the_cache_the_next_time()
    {
        NeedCompiler();
        KernelSource source = new("doubles.cu", Doubles);
        byte[] first = source.Cubin(Architecture);
        CacheFolder.KeepSealed(source.CacheName(Architecture), [.. first, 7]); // a program that no compiler gives
        Assert.Equal([.. first, 7], new KernelSource("doubles.cu", Doubles).Cubin(Architecture));
    }

    [SkippableFact]
    public void Another_text_or_architecture_is_another_file()
    {
        NeedCompiler();
        Assert.Equal(3, new[]
        {
            new KernelSource("doubles.cu", Doubles).CacheName(Architecture),
            new KernelSource("doubles.cu", Doubles + " ").CacheName(Architecture),
            new KernelSource("doubles.cu", Doubles).CacheName("sm_80"),
        }.Distinct().Count());
    }

    [SkippableTheory]
    [InlineData(0), InlineData(20), InlineData(500)]
    public void A_broken_file_of_the_cache_is_made_anew(int length)
    {
        NeedCompiler();
        KernelSource source = new("doubles.cu", Doubles);
        byte[] first = source.Cubin(Architecture);
        string path = Directory.GetFiles(folder.Path, source.CacheName(Architecture), SearchOption.AllDirectories).Single();
        byte[] whole = File.ReadAllBytes(path);
        File.WriteAllBytes(path, whole[..length]);
        Assert.Equal(first, source.Cubin(Architecture));
        Assert.Equal(whole, File.ReadAllBytes(path));
    }

    [SkippableFact]
    public void A_folder_that_others_may_write_to_is_not_read()
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no such modes");
        CacheFolder.KeepSealed("some.cubin", [1, 2, 3]);
        Assert.Equal([1, 2, 3], CacheFolder.ReadSealed("some.cubin"));
        MakeOpen(Path.Combine(folder.Path, "flatpo-recipes"));
        Assert.Null(CacheFolder.ReadSealed("some.cubin"));
    }

    [SkippableFact]
    public void They_load_on_a_gpu()
    {
        Skip.IfNot(TorchLibraries.TryUseCuda(out string? missing), missing);
        Assert.True(Kernels.Usable(ones(2, device: Devices.Cuda()), out string? reason), reason);
        Assert.Null(Kernels.Reason);
        using (Kernels.Off())
            Assert.False(Kernels.Usable(ones(2, device: Devices.Cuda()), out _));
    }

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("XDG_CACHE_HOME", cacheBefore);
        folder.Dispose();
    }

    private static void NeedCompiler()
    {
        try
        {
            _ = Nvrtc.Version();
        }
        catch (DllNotFoundException)
        {
            Skip.If(true, "NVIDIA's run-time compiler (libnvrtc) is not on this machine");
        }
    }

    private static void MakeOpen(string path)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, File.GetUnixFileMode(path) | UnixFileMode.OtherWrite);
    }
}
