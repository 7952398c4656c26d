using FlatPO.Recipes.Native;
using FlatPO.Recipes.Tests.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Native;

public sealed class NativeTests
{
    [Fact]
    public void A_shape_error_in_the_dispatcher_is_an_exception_that_names_the_operator_and_the_shapes()
    {
        RecipeException error = Assert.Throws<RecipeException>(() => Ops.MatMul(ones(2, 3), ones(4, 5)));
        Assert.Equal("FPO4903", error.Id);
        Assert.Contains("aten::matmul(Float32[2, 3], Float32[4, 5])", error.Message);
    }

    [Fact]
    public void Running_out_of_memory_is_an_exception_and_the_process_goes_on()
    {
        Assert.ThrowsAny<Exception>(() => empty(1L << 50, float32));
        Assert.Equal([2, 2], ones(2).mul(2).Numbers());
    }

    [Fact]
    public void An_exception_behind_the_shield_is_an_answer_and_the_process_goes_on()
    {
        Assert.Null(NativeShield.Missing);
        Assert.True(TorchLibraries.TryFind("torch_cpu", "_ZN2at15set_num_threadsEi", out IntPtr setThreads));
        int before = get_num_threads();
        Assert.True(NativeShield.TryCall(setThreads, before + 1));
        Assert.Equal(before + 1, get_num_threads());
        Assert.False(NativeShield.TryCall(setThreads, -5)); // which libtorch refuses
        Assert.True(NativeShield.TryCall(setThreads, before));
        Assert.Equal(before, get_num_threads());
    }

    [Fact]
    public void Rms_norm_divides_by_the_root_mean_square()
    {
        float[] y = Ops.RmsNorm(tensor(new float[] { 3, 4 }), tensor(new float[] { 1, 2 }), 0).Numbers();
        Assert.Equal(3 / Math.Sqrt(12.5), y[0], 1e-6);
        Assert.Equal(8 / Math.Sqrt(12.5), y[1], 1e-6);
    }

    [Fact]
    public void Grouped_query_attention_repeats_each_key_value_head()
    {
        Tensor q = randn(1, 4, 3, 8), k = randn(1, 2, 3, 8), v = randn(1, 2, 3, 8);
        Tensor grouped = Ops.ScaledDotProductAttention(q, k, v, (null, true, 0.3, 0));
        Tensor repeated = Ops.ScaledDotProductAttention(q, k.repeat_interleave(2, 1), v.repeat_interleave(2, 1), (null, true, 0.3, 0));
        Assert.All(grouped.reshape(-1).Numbers().Zip(repeated.reshape(-1).Numbers()), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
    }

    [Fact]
    public void A_cuda_device_without_cuda_says_what_is_missing()
    {
        if (TorchLibraries.TryUseCuda(out _))
            return; // this machine has a GPU: nothing is missing
        RecipeException error = Assert.Throws<RecipeException>(() => Devices.Cuda());
        Assert.Equal("FPO4904", error.Id);
        Assert.Contains("FLATPO_LIBTORCH", error.Message);
    }

    [Fact]
    public void A_folder_without_libtorch_is_an_error_that_names_it()
    {
        using TemporaryFolder folder = new();
        string? before = Environment.GetEnvironmentVariable("FLATPO_LIBTORCH");
        Environment.SetEnvironmentVariable("FLATPO_LIBTORCH", folder.Path);
        try
        {
            RecipeException error = Assert.Throws<RecipeException>(LibTorchFolder.Find);
            Assert.Equal("FPO4901", error.Id);
            Assert.Contains(folder.Path, error.Message);
        }
        finally
        {
            Environment.SetEnvironmentVariable("FLATPO_LIBTORCH", before);
        }
    }

    [Fact]
    public void The_need_for_a_newer_libstdcxx_is_rewritten_once()
    {
        string shim = Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", "libLibTorchSharp.so");
        if (!File.Exists(shim))
            return; // another operating system
        ElfVersionNeed.Symbol old = new("_ZSt21ios_base_library_initv", "GLIBCXX_3.4.32"), replacement = new("_ZSt15get_new_handlerv", "GLIBCXX_3.4.20");
        byte[] library = File.ReadAllBytes(shim);
        byte[] patched = ElfVersionNeed.Replace(library, old, replacement)!;
        Assert.Equal(library.Length, patched.Length);
        Assert.Null(ElfVersionNeed.Replace(patched, old, replacement)); // nothing left to rewrite
    }
}
