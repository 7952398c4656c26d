using FlatPO.Recipes.Native;
using FlatPO.Recipes.Operations;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Operations;

/// <summary>Attention of short rows beside the same of plain operators in float64.</summary>
public sealed class ShortAttentionTests
{
    private const double Scale = 0.125;

    [Fact]
    public void The_cpu_leaves_it_to_libtorch() => Assert.False(ShortAttention.Fits(randn(2, 5, 64).to_type(ScalarType.BFloat16), new FusedHeads(1, 1, 64)));

    [SkippableFact]
    public void It_takes_short_rows_of_heads_64_wide_on_a_gpu()
    {
        Device gpu = Near.Gpu();
        using var scope = NewDisposeScope();
        Assert.True(ShortAttention.Fits(Near.Random(ScalarType.BFloat16, gpu, 1, 256, 64), new FusedHeads(2, 1, 64)));
        Assert.False(ShortAttention.Fits(Near.Random(ScalarType.BFloat16, gpu, 1, 257, 64), new FusedHeads(2, 1, 64)));
        Assert.False(ShortAttention.Fits(Near.Random(ScalarType.BFloat16, gpu, 1, 8, 64), new FusedHeads(2, 1, 32)));
        Assert.False(ShortAttention.Fits(Near.Random(ScalarType.Float32, gpu, 1, 8, 64), new FusedHeads(2, 1, 64)));
    }

    [SkippableTheory]
    [InlineData(2, 64, 2, 2, true, true)]
    [InlineData(1, 1, 1, 1, true, true)]
    [InlineData(3, 17, 4, 4, false, true)]
    [InlineData(2, 100, 6, 2, true, false)] // three heads of queries to one of keys
    [InlineData(1, 130, 4, 1, false, false)]
    [InlineData(2, 256, 3, 3, true, true)]
    [InlineData(2, 197, 12, 12, false, true)] // an image's patches
    public void It_is_what_plain_operators_give_on_a_gpu(long rows, long length, long queries, long keys, bool causal, bool fused)
    {
        Device gpu = Near.Gpu();
        using var scope = NewDisposeScope();
        FusedHeads heads = new(queries, keys, 64);
        long[] widths = [queries * 64, keys * 64, keys * 64];
        Tensor together = Near.Random(ScalarType.BFloat16, gpu, rows, length, heads.All * 64), upstream = Near.Random(ScalarType.BFloat16, gpu, rows, length, queries * 64);

        Tensor wide = together.to_type(ScalarType.Float64).detach().requires_grad_(), expected = Plain(wide.split(widths, 2), heads, causal);
        autograd.backward([expected], [upstream.to_type(ScalarType.Float64)]);

        using GradientPass pass = GradientPass.Open();
        Tensor[] leaves = fused ? [together.detach().requires_grad_()] : [.. together.split(widths, 2).Select(part => part.contiguous().detach().requires_grad_())];
        Tensor found = ShortAttention.Of(leaves, heads, Scale, causal);
        pass.Backward([found], [upstream.alias()]);

        AssertNear(expected, found);
        Tensor gradient = cat([.. leaves.Select(leaf => leaf.grad!)], 2);
        foreach ((Tensor one, Tensor other) in wide.grad!.split(widths, 2).Zip(gradient.split(widths, 2)))
            AssertNear(one, other);
    }

    [SkippableFact]
    public void It_gives_the_same_bits_each_time_on_a_gpu()
    {
        Device gpu = Near.Gpu();
        using var scope = NewDisposeScope();
        Tensor together = Near.Random(ScalarType.BFloat16, gpu, 2, 100, 4 * 64), upstream = Near.Random(ScalarType.BFloat16, gpu, 2, 100, 2 * 64);
        Tensor Gradient()
        {
            using GradientPass pass = GradientPass.Open();
            Tensor leaf = together.detach().requires_grad_();
            pass.Backward([ShortAttention.Of([leaf], new FusedHeads(2, 1, 64), Scale, causal: true)], [upstream.alias()]);
            return leaf.grad!.clone();
        }
        Assert.True(Gradient().equal(Gradient()).all().item<bool>());
    }

    // queries, keys and values [rows, T, heads · 64] to [rows, T, queries · 64]
    private static Tensor Plain(Tensor[] parts, FusedHeads heads, bool causal)
    {
        long length = parts[0].size(1), group = heads.Queries / heads.Keys;
        Tensor Heads(Tensor part, long count) => part.view(part.size(0), length, count, 64).transpose(1, 2);
        Tensor q = Heads(parts[0], heads.Queries), k = Heads(parts[1], heads.Keys).repeat_interleave(group, 1), v = Heads(parts[2], heads.Keys).repeat_interleave(group, 1);
        Tensor scores = Ops.MatMul(q, k.transpose(2, 3)).mul(Scale.ToScalar());
        if (causal)
            scores = scores.masked_fill(ones(length, length, ScalarType.Bool, q.device).tril().logical_not(), double.NegativeInfinity.ToScalar());
        return Ops.MatMul(scores.softmax(-1), v).transpose(1, 2).reshape(q.size(0), length, heads.Queries * 64);
    }

    private static void AssertNear(Tensor expected, Tensor found)
    {
        Assert.Equal(expected.shape, found.shape);
        double apart = found.to_type(ScalarType.Float64).sub(expected).norm().item<double>(), length = expected.norm().item<double>();
        Assert.True(apart <= 0.01 * length + 1e-3, $"{apart / length:g3} of the length apart");
    }
}
