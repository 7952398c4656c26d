using FlatPO.Recipes.Operations;
using FlatPO.Recipes.Tests.Native.Emulation;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Operations;

/// <summary>Two frozen layers about a ReLU as one operation, beside the same of plain operators.</summary>
public sealed class RectifiedBlockTests
{
    [Fact]
    public void The_cpu_composes_it()
    {
        using var scope = NewDisposeScope();
        using FrozenLinear up = new(randn(16, 8), null);
        Assert.False(RectifiedProduct.Fits(randn(3, 8), up));
    }

    [SkippableTheory]
    [InlineData(7, 8, 16)]
    [InlineData(33, 200, 32)]
    public void A_gradient_is_closed_where_the_mask_has_no_bit_emulated(long rows, long width, long bytes)
    {
        using var scope = NewDisposeScope();
        Tensor mask = randint(0, 256, [rows, bytes], ScalarType.Byte), gradient = Near.Random(ScalarType.BFloat16, CPU, rows, width);
        mask[0].fill_(255.ToScalar());
        mask[1].fill_(0.ToScalar());
        Tensor bits = tensor(new long[] { 1, 2, 4, 8, 16, 32, 64, 128 }); // the lowest first
        Tensor expected = gradient.mul(mask.to_type(ScalarType.Int64).unsqueeze(2).bitwise_and(bits).ne(0).view(rows, -1).narrow(1, 0, width));
        using (EmulatedKernels.Open())
            RectifiedProduct.Close(gradient, mask);
        Assert.True(gradient.eq(expected).all().item<bool>());
    }

    [SkippableFact]
    public void Nothing_is_in_its_way_on_a_gpu() => Assert.Null(RectifiedProduct.Reason(Near.Gpu()));

    [SkippableTheory]
    [InlineData(64, 256, true)]
    [InlineData(64, 256, false)]
    [InlineData(40, 72, true)] // a mask's row is longer than the numbers
    [InlineData(256, 1024, true)]
    public void It_is_what_plain_operators_give_on_a_gpu(long width, long wide, bool bias)
    {
        Device gpu = Near.Gpu();
        using var scope = NewDisposeScope();
        using FrozenLinear up = new(Numbers(gpu, wide, width), bias ? Numbers(gpu, wide) : null), down = new(Numbers(gpu, width, wide), bias ? Numbers(gpu, width) : null);
        Tensor x = Numbers(gpu, 3, 33, width), upstream = Numbers(gpu, 3, 33, width);
        Assert.True(RectifiedProduct.Fits(x, up));
        (Tensor y, Tensor gradient) = Measured(x, upstream, leaf => new RectifiedBlock(up, down).Run(leaf)[0]);
        (Tensor plainY, Tensor plainGradient) = Measured(x, upstream, leaf => down.Forward(up.Forward(leaf).relu()));
        AssertNear(plainY, y, 0.01);
        AssertNear(plainGradient, gradient, 0.1); // a number near zero may be rounded to either side of it
    }

    [SkippableFact]
    public void It_gives_the_same_with_and_without_a_gradient_on_a_gpu()
    {
        Device gpu = Near.Gpu();
        using var scope = NewDisposeScope();
        using FrozenLinear up = new(Numbers(gpu, 256, 64), null), down = new(Numbers(gpu, 64, 256), null);
        Tensor x = Numbers(gpu, 33, 64), leaf = x.alias().requires_grad_();
        Assert.Equal(0, new RectifiedBlock(up, down).Run(leaf)[0].sub(new RectifiedBlock(up, down).Run(x)[0]).abs().max().ToDouble());
    }

    [SkippableFact]
    public void Widths_it_cannot_read_are_composed_on_a_gpu()
    {
        Device gpu = Near.Gpu();
        using var scope = NewDisposeScope();
        using FrozenLinear up = new(Numbers(gpu, 30, 12), null);
        Assert.False(RectifiedProduct.Fits(Numbers(gpu, 5, 12), up));
        Assert.False(RectifiedProduct.Fits(Numbers(gpu, 5, 12).to_type(ScalarType.Float32), up));
    }

    private static Tensor Numbers(Device device, params long[] shape) => Near.Random(ScalarType.BFloat16, device, shape);

    private static (Tensor Y, Tensor Gradient) Measured(Tensor x, Tensor upstream, Func<Tensor, Tensor> compute)
    {
        using GradientPass pass = GradientPass.Open();
        Tensor leaf = x.detach().requires_grad_(), y = compute(leaf);
        pass.Backward([y], [upstream.alias()]);
        return (y.detach(), leaf.grad!.clone());
    }

    private static void AssertNear(Tensor expected, Tensor found, double allowed)
    {
        Assert.Equal(expected.shape, found.shape);
        double apart = found.sub(expected).to_type(ScalarType.Float32).norm().ToDouble() / expected.to_type(ScalarType.Float32).norm().ToDouble();
        Assert.True(apart < allowed, $"{apart:g3} of the length apart");
    }
}
