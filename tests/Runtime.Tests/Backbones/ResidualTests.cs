using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Backbones.Blocks;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Operations;
using FlatPO.Recipes.Tests.Operations;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Backbones;

/// <summary>Sums that the next norm makes on its way, against sums by themselves.</summary>
public sealed class ResidualTests : IDisposable
{
    private const double Epsilon = 1e-5;
    private const long Width = 16;
    private const int Layers = 3;

    private readonly DisposeScope scope = NewDisposeScope();
    private readonly WeightTable weights = new(ModelConfig.Parse("config.json", "{}"u8.ToArray()), CPU, ScalarType.Float32);

    public ResidualTests() => manual_seed(5);

    public static TheoryData<string, ScalarType, ScalarType> Norms
    {
        get
        {
            TheoryData<string, ScalarType, ScalarType> norms = [];
            foreach (string kind in new[] { "rms", "layer" })
                foreach (ScalarType format in new[] { ScalarType.Float32, ScalarType.BFloat16 })
                    foreach (ScalarType ofWeights in new[] { ScalarType.Float32, ScalarType.BFloat16 }) // in another format than x: for autograd
                        norms.Add(kind, format, ofWeights);
            return norms;
        }
    }

    [Theory, MemberData(nameof(Norms))]
    public void Gives_what_sums_by_themselves_give(string kind, ScalarType format, ScalarType ofWeights)
    {
        Norm[] norms = [.. Enumerable.Range(0, Layers).Select(i => Made(kind, ofWeights, i))];
        Tensor leaf = Near.Random(format, CPU, 2, 5, Width).requires_grad_(), plain = leaf.clone().detach().requires_grad_();

        Residual x = new(leaf.alias());
        Tensor sum = plain.alias();
        foreach (Norm norm in norms)
        {
            x = x.Plus(norm, Block);
            sum = sum.add(Block(norm.Forward(sum)), 1);
        }
        x = x.At(tokens => tokens.select(1, 2));
        Tensor found = x.Normed(norms[0]), expected = norms[0].Forward(sum.select(1, 2));
        found.to_type(ScalarType.Float32).sum().backward();
        expected.to_type(ScalarType.Float32).sum().backward();

        Assert.True(expected.eq(found).all().item<bool>());
        double roundings = format == ScalarType.BFloat16 ? 1.0 / 64 : 1e-6; // of the gradient's sums, each of which is rounded by itself where autograd makes it
        Assert.InRange(Golden.LargestDifference(leaf.grad!, plain.grad!), 0, roundings * plain.grad!.abs().max().ToSingle());
    }

    [Theory]
    [InlineData("rms"), InlineData("layer")]
    public void What_uses_it_takes_both_tensors_over(string kind)
    {
        foreach (ScalarType ofWeights in new[] { ScalarType.Float32, ScalarType.BFloat16 })
        {
            Norm norm = Made(kind, ofWeights, 0);
            foreach (bool alone in new[] { true, false })
            {
                AssertTaken(alone, x => [x.Normed(norm)]);
                AssertTaken(alone, x => Both(x.Plus(norm, Block)));
                AssertTaken(alone, x => Both(x.At(tokens => tokens.select(1, 0))));
                AssertTaken(alone, x => Both(x.Through(Block)));
            }
        }
        AssertTaken(alone: false, x => [x.Sum()]);
    }

    [Fact]
    public void A_layer_is_given_what_the_layer_before_left_to_be_added()
    {
        (LayerStack<Norm, AttentionContext> layers, List<bool> alone) = Stack();
        Residual x = new(Near.Random(ScalarType.Float32, CPU, 2, 3, Width));
        for (int i = 0; i < layers.Count; i++)
            x = layers.Forward(i, x, default);
        Assert.Equal([true, .. Enumerable.Repeat(false, Layers - 1)], alone);
        Assert.NotNull(x.Delta);
    }

    [Fact]
    public void A_layer_that_keeps_its_input_alone_is_given_the_sum_and_gives_it()
    {
        (LayerStack<Norm, AttentionContext> layers, List<bool> alone) = Stack();
        Tensor leaf = Near.Random(ScalarType.Float32, CPU, 2, 3, Width).requires_grad_();
        using Recomputation recomputation = Recomputation.Open();
        using GradientPass pass = GradientPass.Open();
        Residual x = new(leaf.alias());
        for (int i = 0; i < layers.Count; i++)
            x = layers.Forward(i, x, default);
        Assert.Null(x.Delta);
        pass.Backward(x.X.sum());
        Assert.Equal(Enumerable.Repeat(true, 2 * Layers), alone); // forward, and again backward
        Assert.False(leaf.IsInvalid);
        Assert.NotNull(leaf.grad);
    }

    public void Dispose()
    {
        weights.Dispose();
        scope.Dispose();
    }

    private static Tensor Block(Tensor x) => x.tanh();

    private static Tensor[] Both(Residual x) => x.Delta is null ? [x.X] : [x.X, x.Delta];

    private static void AssertTaken(bool alone, Func<Residual, Tensor[]> use)
    {
        using var scope = NewDisposeScope();
        Residual x = new(Near.Random(ScalarType.Float32, CPU, 2, 3, Width), alone ? null : Near.Random(ScalarType.Float32, CPU, 2, 3, Width));
        int before = scope.DisposablesCount;
        Tensor[] made = use(x);
        Assert.True(x.X.IsInvalid);
        Assert.True(x.Delta?.IsInvalid ?? true);
        Assert.Equal(before - (alone ? 1 : 2) + made.Length, scope.DisposablesCount);
        Assert.All(made, tensor => Assert.False(tensor.IsInvalid));
    }

    // layers of two blocks, and of each that runs whether it was given x alone
    private (LayerStack<Norm, AttentionContext> Layers, List<bool> Alone) Stack()
    {
        List<bool> alone = [];
        return (new(weights, Layers, i => Made("rms", ScalarType.Float32, i), Forward), alone);

        Residual Forward(Norm norm, Residual x, AttentionContext context)
        {
            alone.Add(x.Delta is null);
            return x.Plus(norm, Block).Plus(norm, Block);
        }
    }

    private Norm Made(string kind, ScalarType format, int number)
    {
        int before = weights.All.Count;
        Norm norm = kind == "rms" ? new RmsNorm(weights, $"norms.{number}", Width, Epsilon) : new LayerNorm(weights.Norm($"norms.{number}", Width), Epsilon);
        foreach (Weight weight in weights.All.Skip(before))
            weight.Fill(Near.Random(format, CPU, Width));
        return norm;
    }
}
