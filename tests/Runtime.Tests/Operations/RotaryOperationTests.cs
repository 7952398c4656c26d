using FlatPO.Recipes.Operations;
using FlatPO.Recipes.Tests.Native.Emulation;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Operations;

public sealed class RotaryOperationTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public RotaryOperationTests() => manual_seed(11);

    [Theory]
    [InlineData(1, 1, 1, 1, 2), InlineData(2, 3, 4, 2, 6), InlineData(3, 5, 3, 1, 16), InlineData(2, 7, 12, 2, 128)]
    public void Gives_what_plain_operators_and_autograd_give(long rows, long length, long queries, long keys, long width) => Compare((rows, length), new FusedHeads(queries, keys, width), CPU);

    [SkippableTheory]
    [InlineData(1, 1, 1, 1, 2), InlineData(2, 3, 4, 2, 6), InlineData(3, 5, 3, 1, 16), InlineData(2, 7, 12, 2, 128)]
    public void Does_so_with_its_kernel_emulated(long rows, long length, long queries, long keys, long width)
    {
        using (EmulatedKernels.Open())
            Compare((rows, length), new FusedHeads(queries, keys, width), CPU);
    }

    [SkippableTheory]
    [InlineData(1, 1, 1, 1, 2), InlineData(2, 3, 4, 2, 6), InlineData(3, 5, 3, 1, 16), InlineData(2, 7, 12, 2, 128), InlineData(2, 65, 28, 4, 80), InlineData(1, 9, 5, 5, 36)]
    public void Does_so_on_a_gpu(long rows, long length, long queries, long keys, long width) => Compare((rows, length), new FusedHeads(queries, keys, width), Near.Gpu());

    [Fact]
    public void What_nothing_reads_passes_no_gradient_back()
    {
        FusedHeads heads = new(3, 1, 4);
        Tensor x = randn(2, 5, 20).requires_grad_(), table = randn(5, 4);
        using GradientPass pass = GradientPass.Open();
        pass.Backward(RotaryOperation.Turn(x, (table, table), heads)[2].sum());
        Assert.Equal(0, x.grad!.narrow(2, 0, 16).abs().max().item<float>());
        Assert.Equal(1, x.grad!.narrow(2, 16, 4).min().item<float>());
    }

    public void Dispose() => scope.Dispose();

    private static void Compare((long Rows, long Length) size, FusedHeads heads, Device device)
    {
        foreach (ScalarType dtype in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16])
            foreach (long[] shape in (long[][])[[size.Length, heads.Width / 2], [size.Rows, 1, size.Length, heads.Width / 2]])
                foreach (bool scattered in (bool[])[false, true])
                {
                    Tensor angles = randn(shape, device: device);
                    (Tensor Cosines, Tensor Sines) table = (cat([angles, angles], -1).cos().to(dtype), cat([angles, angles], -1).sin().to(dtype));
                    Compare(Near.Random(dtype, device, size.Rows, size.Length, heads.All * heads.Width), table, heads, scattered);
                }
    }

    private static void Compare(Tensor x, (Tensor Cosines, Tensor Sines) table, FusedHeads heads, bool scattered)
    {
        Tensor gradient = randn_like(x), wide = x.to_type(ScalarType.Float64).requires_grad_();
        Tensor expected = Plain(wide, table, heads);
        autograd.backward([expected], [gradient.to_type(ScalarType.Float64)]);

        using GradientPass pass = GradientPass.Open();
        Tensor own = x.clone().requires_grad_();
        Tensor[] parts = RotaryOperation.Turn(scattered ? Near.Scattered(own) : own.alias(), table, heads), gradients = gradient.split([.. parts.Select(part => part.size(2))], 2);
        pass.Backward(parts, [.. gradients.Select(part => scattered ? Near.Scattered(part) : part)]);
        AssertNear(expected, cat(parts, 2));
        AssertNear(wide.grad!, own.grad!);
    }

    // Composed in bfloat16, both products of a pair are rounded before they are added: what is lost is a share of them, not of their sum.
    private static void AssertNear(Tensor expected, Tensor found)
    {
        if (found.dtype == ScalarType.BFloat16 && found.device_type == DeviceType.CPU)
            Assert.InRange(Golden.LargestDifference(found, expected), 0, expected.abs().max().item<double>() / 64);
        else
            Near.Assert(expected, found);
    }

    // each of queries, keys and values [rows, heads, T, width], as transformers turns them
    private static Tensor Plain(Tensor x, (Tensor Cosines, Tensor Sines) table, FusedHeads heads)
    {
        (Tensor cosines, Tensor sines) = (table.Cosines.to_type(ScalarType.Float64), table.Sines.to_type(ScalarType.Float64));
        Tensor split = x.view(x.size(0), x.size(1), heads.All, heads.Width).transpose(1, 2);
        Tensor Turned(long first, long count)
        {
            Tensor part = split.narrow(1, first, count);
            Tensor low = part.narrow(3, 0, heads.Width / 2), high = part.narrow(3, heads.Width / 2, heads.Width / 2);
            return part.mul(cosines).add(cat([high.neg(), low], 3).mul(sines), 1);
        }
        Tensor values = split.narrow(1, heads.Turned, heads.Keys);
        return cat([Turned(0, heads.Queries), Turned(heads.Queries, heads.Keys), values], 1).transpose(1, 2).reshape(x.shape);
    }
}
