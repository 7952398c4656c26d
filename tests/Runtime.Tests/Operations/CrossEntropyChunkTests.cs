using FlatPO.Recipes.Operations;
using FlatPO.Recipes.Tests.Native.Emulation;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Operations;

public sealed class CrossEntropyChunkTests : IDisposable
{
    private const long None = -100;

    private readonly DisposeScope scope = NewDisposeScope();

    public CrossEntropyChunkTests() => manual_seed(5);

    [Theory]
    [InlineData(1, 1), InlineData(3, 7), InlineData(5, 32), InlineData(4, 1003)]
    public void Gives_what_plain_operators_and_autograd_give(long rows, long vocabulary) => Compare(rows, vocabulary, CPU);

    [SkippableTheory]
    [InlineData(1, 1), InlineData(3, 7), InlineData(5, 32), InlineData(4, 1003), InlineData(3, 40003)]
    public void Does_so_with_its_kernel_emulated(long rows, long vocabulary)
    {
        using (EmulatedKernels.Open())
            Compare(rows, vocabulary, CPU);
    }

    [SkippableTheory]
    [InlineData(1, 1), InlineData(3, 7), InlineData(5, 32), InlineData(4, 1003), InlineData(700, 50272), InlineData(9, 32001), InlineData(300, 151936), InlineData(5, 262145)]
    public void Does_so_on_a_gpu(long rows, long vocabulary) => Compare(rows, vocabulary, Near.Gpu());

    [SkippableFact]
    public void Runs_alike_every_time_on_a_gpu()
    {
        Device gpu = Near.Gpu();
        Tensor logits = Near.Random(ScalarType.BFloat16, gpu, 300, 32000), targets = randint(0, 32000, [300], ScalarType.Int64).to(gpu), count = ones([], ScalarType.Float32, gpu);
        (Tensor Loss, Tensor Gradient) first = Once(), second = Once();
        Assert.Equal(first.Loss.item<float>(), second.Loss.item<float>());
        Assert.True(first.Gradient.eq(second.Gradient).all().item<bool>());

        (Tensor Loss, Tensor Gradient) Once()
        {
            Tensor loss = zeros([], ScalarType.Float32, gpu);
            return (loss, CrossEntropyChunk.Add(loss, logits.clone(), (targets, count), wantsGradient: true)!);
        }
    }

    [Fact]
    public void Composed_it_has_no_more_room_than_the_chunk_says() => Assert.Equal(1, CrossEntropyChunk.Room(ones(2, 2)));

    public void Dispose() => scope.Dispose();

    private static void Compare(long rows, long vocabulary, Device device)
    {
        Tensor targets = randint(0, vocabulary, [rows], ScalarType.Int64);
        targets[0] = vocabulary - 1;
        if (rows > 2)
            targets[1] = None;
        targets = targets.to(device);
        Tensor count = ones([], ScalarType.Float32, device).mul(7);
        foreach (ScalarType dtype in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16])
        {
            Tensor logits = Near.Random(dtype, device, rows, vocabulary).mul(3), wide = logits.to_type(ScalarType.Float64).requires_grad_();
            Tensor whole = nn.functional.cross_entropy(wide, targets, ignore_index: None, reduction: nn.Reduction.Sum);
            whole.div(count).backward();

            foreach (bool wantsGradient in (bool[])[false, true])
            {
                Tensor loss = ones([], ScalarType.Float32, device);
                Tensor? gradient = CrossEntropyChunk.Add(loss, logits.clone(), (targets, count), wantsGradient);
                Assert.Equal(1 + whole.item<double>(), loss.item<float>(), 1e-5 * (1 + whole.item<double>()));
                Assert.Equal(wantsGradient, gradient is not null);
                if (gradient is not null)
                    Near.Assert(wide.grad!, gradient);
            }
        }
    }
}
