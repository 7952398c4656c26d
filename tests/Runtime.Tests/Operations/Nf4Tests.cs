using System.Runtime.InteropServices;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Operations;
using FlatPO.Recipes.Tests.Native.Emulation;
using FlatPO.Recipes.Tests.Trainables;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Operations;

public sealed class Nf4Tests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    /// <summary>One block, a whole number of them, a last one that is short, more than 256 scales, an odd count.</summary>
    public static TheoryData<int, int> Sizes => new() { { 4, 16 }, { 24, 48 }, { 7, 30 }, { 130, 150 }, { 5, 13 } };

    [Fact]
    public void Its_levels_are_quantiles_of_a_normal_distribution()
    {
        // bitsandbytes' create_normal_map: evenly spaced probabilities from 0.9677083 down to ½, eight above zero and seven below it, over the largest quantile
        const double Last = 0.9677083;
        double largest = Quantile(Last);
        double[] above = [.. Enumerable.Range(0, 8).Select(i => Quantile(Last + (0.5 - Last) * i / 8) / largest)];
        double[] below = [.. Enumerable.Range(0, 7).Select(i => -Quantile(Last + (0.5 - Last) * i / 7) / largest)];
        Assert.All(((double[])[.. below, 0, .. above]).Order().Zip(NormalFloat.Levels), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
    }

    [Fact]
    public void The_steps_of_its_scales_are_fractions_under_powers_of_ten()
    {
        Assert.Equal(256, NormalFloat.Steps.Distinct().Count());
        Assert.Equal(NormalFloat.Steps.Order(), NormalFloat.Steps);
        Assert.Equal([-0.99296875f, 0f, 1f], [NormalFloat.Steps[0], NormalFloat.Steps[127], NormalFloat.Steps[255]]);
        Assert.Equal(5.5e-7, NormalFloat.Steps[128], 1e-12); // the middle of [0.1, 1] under 10⁻⁶
        Assert.Equal(0.9929688, NormalFloat.Steps[254], 1e-6); // the last of 64 parts of [0.1, 1]
    }

    [Theory, MemberData(nameof(Sizes))]
    public void Holds_the_numbers_that_the_definition_gives(int rows, int columns)
    {
        Tensor numbers = Random(rows, columns);
        using Nf4Matrix matrix = Nf4Matrix.Of(numbers, new NormalFloat(CPU));
        Assert.Equal([rows, columns], matrix.Numbers(ScalarType.Float32).shape);
        Assert.All(matrix.Numbers(ScalarType.Float32).Numbers().Zip(new PlainNf4(numbers.Numbers()).Numbers()), pair => Assert.Equal(pair.Second, pair.First, 1e-6));
        Assert.Equal(matrix.Numbers(ScalarType.Float32).to_type(ScalarType.BFloat16).to_type(ScalarType.Float32).Bits(), matrix.Numbers(ScalarType.BFloat16).to_type(ScalarType.Float32).Bits());
    }

    [Theory, MemberData(nameof(Sizes))]
    public void No_number_is_further_off_than_half_the_widest_gap_and_the_rounding_of_its_scale(int rows, int columns)
    {
        float[] numbers = Random(rows, columns).Numbers();
        PlainNf4 plain = new(numbers);
        using Nf4Matrix matrix = Nf4Matrix.Of(tensor(numbers).view(rows, columns), new NormalFloat(CPU));
        float[] found = matrix.Numbers(ScalarType.Float32).Numbers();
        double halfGap = NormalFloat.Levels.Zip(NormalFloat.Levels.Skip(1), (low, high) => high - low).Max() / 2;
        foreach ((float[] block, int i) in numbers.Chunk(64).Select((block, i) => (block, i)))
        {
            double largest = block.Max(Math.Abs), ofScale = Math.Abs(plain.Scale(i) - largest);
            Assert.InRange(ofScale, 0, plain.Nested.Max() * 0.01);
            Assert.All(block.Zip(found.Skip(64 * i)), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, largest * halfGap + ofScale + 1e-6));
        }
    }

    [Fact]
    public void What_was_rounded_once_stays_as_it_is()
    {
        NormalFloat format = new(CPU);
        using Nf4Matrix once = Nf4Matrix.Of(Random(64, 64), format);
        float[] numbers = once.Numbers(ScalarType.Float32).Numbers();
        using Nf4Matrix twice = Nf4Matrix.Of(once.Numbers(ScalarType.Float32), format);
        double largest = numbers.Max(Math.Abs);
        Assert.All(twice.Numbers(ScalarType.Float32).Numbers().Zip(numbers), pair => Assert.Equal(pair.Second, pair.First, largest * 0.01)); // the scales alone are rounded anew
    }

    [Fact]
    public void A_block_of_zeros_stays_zero()
    {
        using Nf4Matrix matrix = Nf4Matrix.Of(cat([zeros(1, 64), ones(1, 64)]), new NormalFloat(CPU));
        Assert.All(matrix.Numbers(ScalarType.Float32)[0].Numbers(), number => Assert.Equal(0, number));
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Multiplies_and_differentiates_as_the_numbers_it_stands_for(ScalarType dtype)
    {
        using Nf4Matrix matrix = Nf4Matrix.Of(Random(24, 48), new NormalFloat(CPU));
        Tensor x = randn(2, 5, 48).to_type(dtype), bias = randn(24).to_type(dtype), weight = matrix.Numbers(dtype), weigh = randn(2, 5, 24).to_type(dtype);
        Assert.Equal(Run(false), Run(true));

        int[] Run(bool packed)
        {
            using GradientPass pass = GradientPass.Open();
            Tensor input = x.detach().clone().requires_grad_();
            Tensor output = packed ? matrix.Linear(input, bias) : nn.functional.linear(input, weight, bias);
            pass.Backward(output.mul(weigh).sum(ScalarType.Float32));
            return [.. output.to_type(ScalarType.Float32).Bits(), .. input.grad!.to_type(ScalarType.Float32).Bits()];
        }
    }

    [SkippableFact]
    public void Between_forward_and_backward_nothing_is_held_of_its_numbers()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "glibc is asked to keep nothing back");
        const int Width = 2048, Products = 13;
        using Nf4Matrix matrix = Nf4Matrix.Of(randn(Width, Width).mul(1 / Math.Sqrt(Width)), new NormalFloat(CPU));
        using GradientPass pass = GradientPass.Open();
        Tensor x = randn(1, Width).requires_grad_();
        mallopt(MmapThreshold, 1 << 16); // pages of its own for each tensor, which go back when it is freed
        try
        {
            Tensor y = matrix.Linear(x, null);
            long before = Environment.WorkingSet;
            for (int i = 1; i < Products; i++)
                y = matrix.Linear(y, null);
            Assert.InRange(Environment.WorkingSet - before, long.MinValue, Products / 2 * sizeof(float) * Width * Width);
            pass.Backward(y.sum());
        }
        finally
        {
            mallopt(MmapThreshold, 1 << 25);
        }
        Assert.True(x.grad!.abs().max().item<float>() > 0);
    }

    [Fact]
    public void Leaves_no_tensor_behind()
    {
        Tensor numbers = Random(8, 64), x = ones(2, 64).requires_grad_();
        NormalFloat format = new(CPU);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        using (Nf4Matrix matrix = Nf4Matrix.Of(numbers, format))
        {
            using var inner = NewDisposeScope();
            using GradientPass pass = GradientPass.Open();
            pass.Backward(matrix.Linear(x, null).sum());
        }
        x.grad!.Dispose();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [SkippableFact]
    public void Gives_the_same_numbers_on_a_gpu()
    {
        Skip.IfNot(TorchLibraries.TryUseCuda(out string? reason), reason);
        Device gpu = Devices.Cuda();
        Tensor numbers = Random(96, 352), x = randn(3, 352);
        using Nf4Matrix here = Nf4Matrix.Of(numbers, new NormalFloat(CPU)), there = Nf4Matrix.Of(numbers.to(gpu), new NormalFloat(gpu));
        foreach (ScalarType dtype in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16])
        {
            double step = dtype == ScalarType.Float32 ? 1e-6 : 0.01; // the mean of the scales is summed in another order
            Assert.InRange(Golden.LargestDifference(there.Numbers(dtype).cpu(), here.Numbers(dtype)), 0, step * numbers.abs().max().item<float>());
        }
        using GradientPass pass = GradientPass.Open();
        Tensor ofHere = x.clone().requires_grad_(), ofThere = x.to(gpu).detach().requires_grad_();
        pass.Backward(here.Linear(ofHere, null).Squared().sum());
        pass.Backward(there.Linear(ofThere, null).Squared().sum());
        Assert.InRange(Golden.LargestDifference(ofThere.grad!.cpu(), ofHere.grad!), 0, 0.05 * ofHere.grad!.abs().max().item<float>()); // TF32 may be on
    }

    [SkippableTheory, MemberData(nameof(Sizes))]
    public void A_kernel_gives_the_composed_operators_numbers_emulated(int rows, int columns)
    {
        using Nf4Matrix matrix = Nf4Matrix.Of(Random(rows, columns), new NormalFloat(CPU));
        foreach (ScalarType dtype in (ScalarType[])[ScalarType.BFloat16, ScalarType.Float32])
        {
            Tensor composed = matrix.Numbers(dtype), launched;
            using (EmulatedKernels.Open())
                launched = matrix.Numbers(dtype);
            Assert.Equal(composed.to_type(ScalarType.Float32).Bits(), launched.to_type(ScalarType.Float32).Bits());
        }
    }

    [SkippableTheory, MemberData(nameof(Sizes))]
    public void A_kernel_gives_the_composed_operators_numbers_on_a_gpu(int rows, int columns)
    {
        Skip.IfNot(TorchLibraries.TryUseCuda(out string? reason), reason);
        Device gpu = Devices.Cuda();
        Skip.IfNot(Kernels.Usable(zeros(1, device: gpu), out string? without), without);
        using Nf4Matrix matrix = Nf4Matrix.Of(Random(rows, columns).to(gpu), new NormalFloat(gpu));
        foreach (ScalarType dtype in (ScalarType[])[ScalarType.BFloat16, ScalarType.Float32])
        {
            Tensor launched = matrix.Numbers(dtype), composed;
            using (Kernels.Off())
                composed = matrix.Numbers(dtype);
            Assert.Equal(composed.to_type(ScalarType.Float32).Bits(), launched.to_type(ScalarType.Float32).Bits());
        }
    }

    private const int MmapThreshold = -3; // M_MMAP_THRESHOLD of malloc.h

    [DllImport("libc")]
    private static extern int mallopt(int parameter, int value);

    private static Tensor Random(int rows, int columns)
    {
        using Generator random = new((ulong)(1000 * rows + columns));
        return randn([rows, columns], generator: random).mul(0.02);
    }

    // The x that a standard normal number is below with this probability.
    private static double Quantile(double probability)
    {
        double low = 0, high = 4;
        for (int i = 0; i < 60; i++)
            if (Below((low + high) / 2) < probability)
                low = (low + high) / 2;
            else
                high = (low + high) / 2;
        return low;

        static double Below(double x) // Simpson's rule over the density from 0
        {
            const int Parts = 400;
            double sum = Enumerable.Range(0, Parts + 1).Sum(i => (i is 0 or Parts ? 1 : i % 2 == 0 ? 2 : 4) * Math.Exp(-Math.Pow(x * i / Parts, 2) / 2));
            return 0.5 + sum * x / Parts / 3 / Math.Sqrt(2 * Math.PI);
        }
    }

    public void Dispose() => scope.Dispose();
}
