using FlatPO.Recipes.Operations;
using FlatPO.Recipes.Tests.Native.Emulation;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Operations;

public sealed class NormOperationTests : IDisposable
{
    private const double Epsilon = 1e-5;

    private readonly DisposeScope scope = NewDisposeScope();

    public NormOperationTests() => manual_seed(7);

    public enum Kind
    {
        Rms,
        RmsBesideInput,
        RmsOfSum,
        RmsAfterSum,
        Layer,
        LayerBesideInput,
        LayerOfSum,
        LayerOfSumWithoutWeights,
        LayerAfterSum,
    }

    public static TheoryData<Kind, long[], ScalarType> Small => Cases([[2, 3, 3], [1, 5], [2, 8], [3, 1, 64]], ScalarType.Float64, ScalarType.Float32, ScalarType.BFloat16);

    public static TheoryData<Kind, long[], ScalarType> Large => Cases(
        [[3, 3], [2, 37], [5, 8], [9, 3, 128], [3, 250], [2, 256], [3, 264], [2, 768], [4, 1001], [2, 1536], [2, 8192], [1, 8200], [2, 16384], [1, 20001]], ScalarType.Float32, ScalarType.BFloat16);

    public static TheoryData<Kind, long[], ScalarType> Emulated => Cases([[3, 3], [5, 8], [9, 3, 128], [3, 250], [2, 256], [3, 264], [2, 768], [1, 8200]], ScalarType.Float32, ScalarType.BFloat16);

    [Theory, MemberData(nameof(Small))]
    public void Gives_what_plain_operators_and_autograd_give(Kind kind, long[] shape, ScalarType dtype) => Compare(kind, shape, dtype, CPU);

    [SkippableTheory, MemberData(nameof(Emulated))]
    public void Does_so_with_its_kernel_emulated(Kind kind, long[] shape, ScalarType dtype)
    {
        using (EmulatedKernels.Open())
            Compare(kind, shape, dtype, CPU);
    }

    [SkippableTheory, MemberData(nameof(Large))]
    public void Does_so_on_a_gpu(Kind kind, long[] shape, ScalarType dtype) => Compare(kind, shape, dtype, Near.Gpu());

    [SkippableFact]
    public void Rows_that_do_not_begin_at_16_bytes_are_read_too_on_a_gpu()
    {
        Device gpu = Near.Gpu();
        Tensor whole = Near.Random(ScalarType.BFloat16, gpu, 1 + 4 * 64), x = whole.narrow(0, 1, 4 * 64).view(4, 64), weight = ones(64, ScalarType.BFloat16, gpu);
        Near.Assert(Plain(x.to_type(ScalarType.Float64), weight, null, centered: false), NormOperation.Rms(weight, Epsilon).Of(x));
    }

    [SkippableFact]
    public void Runs_alike_every_time_on_a_gpu()
    {
        Device gpu = Near.Gpu();
        Tensor x = Near.Random(ScalarType.BFloat16, gpu, 64, 1536), weight = Near.Random(ScalarType.BFloat16, gpu, 1536);
        Tensor first = NormOperation.Rms(weight, Epsilon).OfSum(x, x).Normed;
        for (int i = 0; i < 5; i++)
            Assert.True(first.eq(NormOperation.Rms(weight, Epsilon).OfSum(x, x).Normed).all().item<bool>());
    }

    [Fact]
    public void A_sum_of_different_shapes_is_an_error_that_names_them() =>
        Assert.Contains("[2, 4]", Assert.Throws<ArgumentException>(() => NormOperation.Rms(ones(4), Epsilon).OfSum(ones(2, 4), ones(4))).Message);

    [Fact]
    public void A_weight_with_a_gradient_or_another_format_is_not_its_affair()
    {
        Assert.True(NormOperation.Takes(ones(2), ones(2), null));
        Assert.False(NormOperation.Takes(ones(2), ones(2).requires_grad_()));
        Assert.False(NormOperation.Takes(ones(2, dtype: ScalarType.BFloat16), ones(2)));
        using var noGrad = no_grad();
        Assert.True(NormOperation.Takes(ones(2), ones(2).requires_grad_()));
    }

    public void Dispose() => scope.Dispose();

    private static TheoryData<Kind, long[], ScalarType> Cases(long[][] shapes, params ScalarType[] dtypes)
    {
        TheoryData<Kind, long[], ScalarType> cases = [];
        foreach (Kind kind in Enum.GetValues<Kind>())
            foreach (long[] shape in shapes)
                foreach (ScalarType dtype in dtypes)
                    cases.Add(kind, shape, dtype);
        return cases;
    }

    private static void Compare(Kind kind, long[] shape, ScalarType dtype, Device device)
    {
        Tensor Made(params long[] sizes) => Near.Random(dtype, device, sizes);
        bool centered = kind >= Kind.Layer, sums = kind is not (Kind.Rms or Kind.RmsBesideInput or Kind.Layer or Kind.LayerBesideInput);
        Tensor? weight = kind == Kind.LayerOfSumWithoutWeights ? null : Made(shape[^1]), bias = centered && weight is not null ? Made(shape[^1]) : null;
        Tensor x = Made(shape), delta = Made(shape), ofNormed = Made(shape), ofSum = Made(shape);
        Tensor sum = (sums ? x.add(delta, 1) : x.clone()).to_type(ScalarType.Float64).requires_grad_();
        Tensor normed = Plain(sum, weight, bias, centered);

        foreach ((bool useSum, bool useNormed, bool deltaToo, bool scattered) in Ways(kind))
        {
            using GradientPass pass = GradientPass.Open();
            Tensor own = x.clone().requires_grad_(), added = delta.clone().requires_grad_(deltaToo);
            Tensor read = scattered ? Near.Scattered(own) : own.alias();
            NormOperation operation = centered ? NormOperation.Layer(weight, bias, Epsilon) : NormOperation.Rms(weight!, Epsilon);
            (Tensor Sum, Tensor Normed) found = GivesSum(kind) ? operation.OfSum(read, sums ? added : null) : (sum, operation.Of(read, sums ? added : null));
            read.Dispose();
            Near.Assert(normed, found.Normed);
            Near.Assert(sum, found.Sum);

            (Tensor Output, Tensor Gradient, Tensor Expected)[] used = [.. new[] { (found.Normed, ofNormed, normed), (found.Sum, ofSum, sum) }.Where((_, i) => i == 0 ? useNormed : useSum)];
            sum.grad = zeros_like(sum);
            autograd.backward([.. used.Select(one => one.Expected)], [.. used.Select(one => one.Gradient.to_type(ScalarType.Float64))], retain_graph: true);
            pass.Backward([.. used.Select(one => one.Output)], [.. used.Select(one => scattered ? Near.Scattered(one.Gradient) : one.Gradient)]);
            Near.Assert(sum.grad!, own.grad!);
            if (deltaToo && sums)
                Near.Assert(sum.grad!, added.grad!);
        }
    }

    private static bool GivesSum(Kind kind) => kind is not (Kind.Rms or Kind.RmsAfterSum or Kind.Layer or Kind.LayerAfterSum);

    private static (bool UseSum, bool UseNormed, bool DeltaToo, bool Scattered)[] Ways(Kind kind) => GivesSum(kind)
        ? [(true, true, true, false), (false, true, true, true), (true, false, true, false), (true, true, false, true)]
        : [(false, true, true, false), (false, true, false, true)];

    private static Tensor Plain(Tensor x, Tensor? weight, Tensor? bias, bool centered)
    {
        Tensor middle = centered ? x.sub(x.mean([-1], keepdim: true)) : x;
        Tensor y = middle.mul(middle.mul(middle).mean([-1], keepdim: true).add(Epsilon).rsqrt());
        y = weight is null ? y : y.mul(weight.to_type(ScalarType.Float64));
        return bias is null ? y : y.add(bias.to_type(ScalarType.Float64), 1);
    }
}
