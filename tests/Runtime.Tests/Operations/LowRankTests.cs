using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Operations;
using FlatPO.Recipes.Tests.Native.Emulation;
using FlatPO.Recipes.Trainables;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Tests.Operations;

/// <summary>Products with low-rank branches beside what autograd makes of plain operators.</summary>
public sealed class LowRankTests
{
    private const double Scale = 1.5;

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(3, false)]
    public void A_product_with_branches_is_what_plain_operators_give(int members, bool bias)
    {
        using var scope = NewDisposeScope();
        Pairs pairs = new(CPU, ScalarType.Float32, members, input: 12, output: 10, rank: 3);
        Tensor x = randn(2, 5, 12).requires_grad_(), weight = randn(10 * members, 12);
        Tensor? b = bias ? randn(10 * members) : null;
        AssertAlike(pairs, x, 1e-5, () => new AdaptedProduct(new FrozenLinear(weight, b), pairs.Branch()).Run([x, .. pairs.Live])[0], () => functional.linear(x, weight, b).add(pairs.Plain(x), 1.ToScalar()));
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void A_gated_block_is_what_plain_operators_give(bool inside, bool outside)
    {
        using var scope = NewDisposeScope();
        Block block = new(CPU, ScalarType.Float32, inside, outside);
        AssertAlike(block.Pairs, block.X, 1e-5, block.Fused, block.Plain);
    }

    [SkippableTheory]
    [InlineData(true, true, 64, 3)]
    [InlineData(true, true, 520, 8)]
    [InlineData(true, false, 64, 16)]
    [InlineData(false, true, 64, 5)]
    [InlineData(false, false, 72, 3)]
    [InlineData(true, true, 136, 11)]
    public void The_gated_kernel_gives_what_operators_compose_emulated(bool inside, bool outside, int wide, int rank)
    {
        using var scope = NewDisposeScope();
        Block block = new(CPU, ScalarType.BFloat16, inside, outside, rows: 77, input: 48, wide, rank);
        Tensor[] composed = Measured(block.Pairs, block.X, block.Fused), launched;
        using (EmulatedKernels.Open())
            launched = Measured(block.Pairs, block.X, block.Fused);
        AssertNear(composed, launched, 0.02);
    }

    [SkippableTheory]
    [InlineData(true, true, 64, 3)]
    [InlineData(true, true, 520, 8)]
    [InlineData(true, false, 64, 16)]
    [InlineData(false, true, 64, 5)]
    [InlineData(false, false, 64, 3)]
    public void The_gated_kernel_gives_what_operators_compose_on_a_gpu(bool inside, bool outside, int wide, int rank)
    {
        Skip.IfNot(TorchLibraries.TryUseCuda(out string? reason), reason);
        using var scope = NewDisposeScope();
        Block block = new(CUDA, ScalarType.BFloat16, inside, outside, rows: 77, input: 48, wide, rank);
        AssertAlike(block.Pairs, block.X, 0.02, block.Fused, () =>
        {
            using (Kernels.Off())
                return block.Fused();
        });
        Assert.True(Kernels.Usable(block.X), Kernels.Reason);
    }

    [SkippableTheory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_product_in_bfloat16_is_near_the_one_in_float32_on_a_gpu(int members)
    {
        Skip.IfNot(TorchLibraries.TryUseCuda(out string? reason), reason);
        using var scope = NewDisposeScope();
        Pairs pairs = new(CUDA, ScalarType.BFloat16, members, input: 64, output: 40, rank: 8);
        Tensor x = randn(3, 33, 64, device: CUDA).to_type(ScalarType.BFloat16).detach().requires_grad_(), weight = randn(40 * members, 64, device: CUDA).to_type(ScalarType.BFloat16);
        AssertAlike(pairs, x, 0.02, () => new AdaptedProduct(new FrozenLinear(weight, null), pairs.Branch()).Run([x, .. pairs.Live])[0],
            () => functional.linear(x.to_type(ScalarType.Float32), weight.to_type(ScalarType.Float32)).add(pairs.Plain(x.to_type(ScalarType.Float32)), 1.ToScalar()).to_type(ScalarType.BFloat16));
    }

    [SkippableTheory]
    [InlineData("cpu", 2)]
    [InlineData("cpu", 3)]
    [InlineData("emulated", 3)]
    [InlineData("cuda", 3)]
    public void One_product_over_all_outputs_gives_what_one_each_gives(string on, int members)
    {
        Skip.If(on == "cuda" && !TorchLibraries.TryUseCuda(out _), "no GPU");
        using var scope = NewDisposeScope();
        using IDisposable? emulation = on == "emulated" ? EmulatedKernels.Open() : null;
        Device device = on == "cuda" ? CUDA : CPU;
        Pairs pairs = new(device, ScalarType.BFloat16, members, input: 64, output: 40, rank: 4);
        Tensor x = randn(3, 33, 64, device: device).to_type(ScalarType.BFloat16).detach().requires_grad_(), weight = randn(40 * members, 64, device: device).to_type(ScalarType.BFloat16);
        AssertAlike(pairs, x, 0.005, () => new AdaptedProduct(new FrozenLinear(weight, null), pairs.Diagonal()).Run([x, .. pairs.Live])[0],
            () => new AdaptedProduct(new FrozenLinear(weight, null), pairs.Branch()).Run([x, .. pairs.Live])[0]);
    }

    [SkippableTheory]
    [InlineData("cpu")]
    [InlineData("emulated")]
    [InlineData("cuda")]
    public void Copies_of_factors_are_exact_to_sixteen_bits_and_follow_the_arena(string on)
    {
        Skip.If(on == "cuda" && !TorchLibraries.TryUseCuda(out _), "no GPU");
        using var scope = NewDisposeScope();
        using IDisposable? emulation = on == "emulated" ? EmulatedKernels.Open() : null;
        Pairs pairs = new(on == "cuda" ? CUDA : CPU, ScalarType.BFloat16, 2, input: 32, output: 24, rank: 4);
        using (pairs.Arena.Bind())
        {
            _ = pairs.Branch();
            _ = pairs.Arena.Copies.Diagonal([(0, pairs.B[0]), (30, pairs.B[1])], 54, ScalarType.BFloat16);
        }
        using (no_grad())
            pairs.Arena.Values.mul_(1.37f);
        using var live = pairs.Arena.Bind();
        Tensor[] below = pairs.Arena.Copies.Below(pairs.A, ScalarType.BFloat16).to_type(ScalarType.Float32).split([4, 4, 4, 4], 0);
        Tensor[] beside = pairs.Arena.Copies.Beside(pairs.B[1], ScalarType.BFloat16).to_type(ScalarType.Float32).split([4, 4], 1);
        AssertNear(pairs.A[0].Value, below[0].add(below[1], 1.ToScalar()), 1e-5);
        AssertNear(pairs.A[1].Value, below[2].add(below[3], 1.ToScalar()), 1e-5);
        AssertNear(pairs.B[1].Value, beside[0].add(beside[1], 1.ToScalar()), 1e-5);
        Tensor diagonal = pairs.Arena.Copies.Diagonal([(0, pairs.B[0]), (30, pairs.B[1])], 54, ScalarType.BFloat16).to_type(ScalarType.Float32); // six outputs between them have no branch
        AssertNear(pairs.B[0].Value, Whole(0, 0), 1e-5);
        AssertNear(pairs.B[1].Value, Whole(30, 8), 1e-5);
        Assert.Equal(2 * 2 * 24 * 4, diagonal.ne(0).sum().item<long>());

        Tensor Whole(long row, long column) => diagonal.narrow(0, row, 24).narrow(1, column, 4).add(diagonal.narrow(0, row, 24).narrow(1, column + 4, 4), 1.ToScalar());
    }

    private static void AssertAlike(Pairs pairs, Tensor x, double tolerance, Func<Tensor> found, Func<Tensor> expected)
    {
        Tensor[] one = Measured(pairs, x, expected);
        AssertNear(one, Measured(pairs, x, found), tolerance);
    }

    private static void AssertNear(Tensor[] expected, Tensor[] found, double tolerance)
    {
        foreach ((Tensor one, Tensor other) in expected.Zip(found))
            AssertNear(one, other, tolerance);
    }

    // the output, the gradient of x and that of the arena
    private static Tensor[] Measured(Pairs pairs, Tensor x, Func<Tensor> compute)
    {
        using GradientPass pass = GradientPass.Open();
        using var live = pairs.Arena.Bind();
        pairs.Arena.ZeroGradient();
        x.grad?.fill_(0.ToScalar());
        Tensor y = compute();
        pass.Backward(y.to_type(ScalarType.Float32).mul(linspace(-1, 1, y.numel(), device: y.device).view(y.shape)).sum());
        return [y.detach(), x.grad!.clone(), pairs.Arena.Gradient.clone()];
    }

    private static void AssertNear(Tensor expected, Tensor found, double tolerance)
    {
        Tensor wide = expected.to_type(ScalarType.Float64);
        double apart = found.to_type(ScalarType.Float64).sub(wide).norm().ToDouble(), length = wide.norm().ToDouble();
        Assert.True(apart <= tolerance * length, $"{apart / length:g3} of the length apart; allowed is {tolerance}");
    }

    /// <summary>Low-rank pairs side by side on one arena.</summary>
    private sealed class Pairs
    {
        private readonly ScalarType format;

        internal Pairs(Device device, ScalarType format, int members, long input, long output, long rank)
            : this(device, format, [.. Enumerable.Repeat((input, output), members)], rank)
        {
        }

        internal Pairs(Device device, ScalarType format, (long In, long Out)[] sizes, long rank)
        {
            this.format = format;
            A = [.. sizes.Select((size, i) => new TrainableTensor($"a{i}", Sites.None, TrainableKind.Adapter, randn(rank, size.In).mul(0.1.ToScalar())))];
            B = [.. sizes.Select((size, i) => new TrainableTensor($"b{i}", Sites.None, TrainableKind.Adapter, randn(size.Out, rank).mul(0.1.ToScalar())))];
            TrainableTensor[] all = [.. A.Zip(B).SelectMany(pair => (TrainableTensor[])[pair.First, pair.Second])];
            Arena = new Arena(all.Length > 0 ? all : [new TrainableTensor("none", Sites.None, TrainableKind.Adapter, randn(1))], device);
        }

        internal Arena Arena { get; }

        internal TrainableTensor[] A { get; }

        internal TrainableTensor[] B { get; }

        internal Tensor[] Live => Range(0, A.Length).Live;

        /// <summary>The branch over all, its B in one matrix.</summary>
        internal LowRankBranch Diagonal() =>
            LowRankBranches.InHalves([.. A.Zip(B).Select((pair, i) => (i * pair.Second.Shape[0], new LowRankUpdate(pair.First, pair.Second, Scale)))], B.Sum(own => own.Shape[0]), Arena.Copies, format);

        internal (LowRankBranch? Branch, Tensor[] Live) Range(int first, int count)
        {
            TrainableTensor[] a = A[first..(first + count)], b = B[first..(first + count)];
            if (count == 0)
                return (null, []);
            LowRankMember[] members = [.. b.Select((own, i) => new LowRankMember(i * own.Shape[0], format == ScalarType.Float32 ? own.Value : Arena.Copies.Beside(own, format), Scale))];
            Tensor stacked = format == ScalarType.Float32 ? cat([.. a.Select(own => own.Value)], 0) : Arena.Copies.Below(a, format);
            return (new LowRankBranch(stacked, members), [.. a.Zip(b).SelectMany(pair => (Tensor[])[pair.First.Live, pair.Second.Live])]);
        }

        internal LowRankBranch Branch() => Range(0, A.Length) is ({ } branch, _) ? branch : throw new InvalidOperationException();

        internal Tensor Plain(Tensor x, int first = 0, int? count = null) =>
            cat([.. Enumerable.Range(first, count ?? A.Length).Select(i => functional.linear(functional.linear(x, A[i].Live), B[i].Live).mul(Scale.ToScalar()))], -1);
    }

    private sealed class Block
    {
        private readonly FrozenLinear gateAndUp, down;
        private readonly int inner, outer;

        internal Block(Device device, ScalarType format, bool inside, bool outside, int rows = 5, int input = 12, int wide = 20, int rank = 3)
        {
            (inner, outer) = (inside ? 2 : 0, outside ? 1 : 0);
            Pairs = new Pairs(device, format, [.. Enumerable.Repeat(((long)input, (long)wide), inner), .. Enumerable.Repeat(((long)wide, (long)input), outer)], rank);
            X = randn(2, rows, input, device: device).to_type(format).detach().requires_grad_();
            gateAndUp = new FrozenLinear(randn(2 * wide, input, device: device).div(Math.Sqrt(input).ToScalar()).to_type(format), null);
            down = new FrozenLinear(randn(input, wide, device: device).div(Math.Sqrt(wide).ToScalar()).to_type(format), randn(input, device: device).to_type(format));
        }

        internal Pairs Pairs { get; }

        internal Tensor X { get; }

        internal Tensor Fused()
        {
            (LowRankBranch? before, Tensor[] live) = Pairs.Range(0, inner);
            (LowRankBranch? after, Tensor[] more) = Pairs.Range(inner, outer);
            return new GatedBlock(gateAndUp, down, before, after).Run([X, .. live, .. more])[0];
        }

        internal Tensor Plain()
        {
            Tensor products = gateAndUp.Forward(X);
            if (inner > 0)
                products = products.add(Pairs.Plain(X, 0, inner), 1.ToScalar());
            Tensor[] parts = products.chunk(2, -1);
            Tensor activation = functional.silu(parts[0]).mul(parts[1]), y = down.Forward(activation);
            return outer > 0 ? y.add(Pairs.Plain(activation, inner, outer), 1.ToScalar()) : y;
        }
    }
}
