using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Adapters.PromptTuning;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Tests.Adapters;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Backbones;

/// <summary>The loss in chunks beside the one of whole logits.</summary>
public sealed class NextTokenLossTests : IDisposable
{
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();

    [Theory]
    [InlineData("opt"), InlineData("llama"), InlineData("mistral"), InlineData("qwen2"), InlineData("qwen3"), InlineData("llama3")]
    public void Is_the_loss_of_whole_logits_and_so_are_its_gradients(string backbone)
    {
        using Tried adapted = new(new LoraMethod { Rank = 2 }, backbone);
        adapted.Move();
        TokenBatch batch = adapted.Backbone.Collate(Texts(), 0);
        AssertSame(Learned(adapted, () => Whole(adapted, batch)), Learned(adapted, () => adapted.Backbone.Loss(batch, batch.Supervised)), 1e-6);
    }

    [Theory]
    [InlineData(1), InlineData(3), InlineData(4), InlineData(1000)]
    public void However_many_positions_make_a_chunk(long positions)
    {
        long vocabulary = 11;
        HeadInput input = Head(rows: 2, length: 5, vocabulary);
        TokenBatch batch = Batch([3, 1, TokenBatch.Unsupervised, 4, 10], [TokenBatch.Unsupervised, 5, TokenBatch.Unsupervised, TokenBatch.Unsupervised, 0]);
        (Tensor Loss, Tensor Gradient) Of(Func<Tensor> loss)
        {
            Tensor value = loss();
            input.Hidden.grad = zeros_like(input.Hidden);
            value.backward();
            return (value.detach(), input.Hidden.grad.clone());
        }
        AssertSame(
            Of(() => Predictions.OfNextToken(input.Logits(), batch.Labels).SummedLoss().div(Scalars.Count(batch.Supervised, CPU))),
            Of(() => NextTokenLoss.Of(input, batch, Scalars.Count(batch.Supervised, CPU), chunk: positions * vocabulary)), 1e-6);
    }

    [Fact]
    public void A_batch_that_does_not_say_how_much_it_teaches_gives_the_same()
    {
        HeadInput input = Head(rows: 1, length: 6, vocabulary: 7);
        TokenBatch batch = Batch([1, TokenBatch.Unsupervised, 3, 4, TokenBatch.Unsupervised, 2]);
        Assert.Equal(
            NextTokenLoss.Of(input, batch, Scalars.Count(batch.Supervised, CPU)).item<float>(),
            NextTokenLoss.Of(input, batch with { Supervised = 0 }, Scalars.Count(batch.Supervised, CPU)).item<float>(), 1e-6);
    }

    [Theory]
    [InlineData(0), InlineData(1), InlineData(2)]
    public void Places_beyond_those_that_teach_weigh_nothing(int more)
    {
        using Tried adapted = new(new LoraMethod { Rank = 2 }, "qwen2");
        adapted.Move();
        TokenBatch batch = adapted.Backbone.Collate(Texts(), 0);
        TokenBatch roomy = batch with { LossPlaces = batch.Supervised + more };
        AssertSame(Learned(adapted, () => adapted.Backbone.Loss(batch, batch.Supervised)), Learned(adapted, () => adapted.Backbone.Loss(roomy, batch.Supervised)), 1e-6);
    }

    [Theory]
    [InlineData(1), InlineData(3), InlineData(7), InlineData(4095), InlineData(16_777_216)]
    public void A_count_on_the_device_divides_as_one_on_the_host(long count)
    {
        Tensor losses = rand(1000).mul(20).add(0.1);
        Assert.True(losses.div(count.ToScalar()).eq(losses.div(Scalars.Count(count, CPU))).all().item<bool>());
    }

    [Fact]
    public void A_prompt_before_the_texts_teaches_their_first_tokens_too()
    {
        using Tried adapted = new(new PromptTuningMethod { VirtualTokens = 3 }, "qwen2", roles: Sites.Inputs);
        TokenBatch batch = adapted.Backbone.Collate(Texts(), 0);
        Assert.Equal(Texts().Sum(text => text.InputIds.Count), batch.Supervised);
        AssertSame(Learned(adapted, () => Whole(adapted, batch)), Learned(adapted, () => adapted.Backbone.Loss(batch, batch.Supervised)), 1e-6);
    }

    [Theory]
    [InlineData(Sites.Head), InlineData(Sites.Embedding)]
    public void An_adapter_at_the_head_gets_its_gradient_too(Sites roles)
    {
        using Tried adapted = new(new LoraMethod { Rank = 2 }, "qwen2", roles: roles);
        adapted.Move();
        TokenBatch batch = adapted.Backbone.Collate(Texts(), 0);
        var learned = Learned(adapted, () => adapted.Backbone.Loss(batch, batch.Supervised));
        Assert.NotEqual(0, learned.Gradient.abs().sum().item<float>());
        AssertSame(Learned(adapted, () => Whole(adapted, batch)), learned, 1e-6);
    }

    [Fact]
    public void In_bfloat16_it_is_as_near_as_rounding_allows()
    {
        using Tried adapted = new(new LoraMethod { Rank = 2 }, "llama", Precision.BFloat16);
        adapted.Move();
        TokenBatch batch = adapted.Backbone.Collate(Texts(), 0);
        AssertSame(Learned(adapted, () => Whole(adapted, batch)), Learned(adapted, () => adapted.Backbone.Loss(batch, batch.Supervised)), 0.02);
    }

    [SkippableFact]
    public void A_kernel_gives_what_composed_operators_do_on_a_gpu()
    {
        Skip.IfNot(TorchLibraries.TryUseCuda(out string? reason), reason);
        using Generator random = new(3);
        Device gpu = Devices.Cuda();
        Tensor numbers = randn([1003, 64], generator: random).to(ScalarType.BFloat16).to(gpu), hidden = randn([4, 33, 64], generator: random).to(ScalarType.BFloat16).to(gpu);
        TokenBatch batch = Batch([.. Enumerable.Range(0, 4).Select(row => Enumerable.Range(0, 33).Select(place => place % 5 == row ? TokenBatch.Unsupervised : (long)(place * 30)).ToArray())]);
        batch = batch with { Labels = batch.Labels.to(gpu) };
        (Tensor Loss, Tensor Gradient) Of()
        {
            Weight weight = new("lm_head.weight", 1003, 64);
            weight.Fill(numbers.clone());
            HeadInput input = new(hidden.clone().requires_grad_(), new Projection("lm_head", Sites.Head, weight, null));
            Tensor loss = NextTokenLoss.Of(input, batch, Scalars.Count(batch.Supervised, gpu), chunk: 10 * 1003);
            loss.backward();
            return (loss.detach(), input.Hidden.grad!);
        }
        (Tensor, Tensor) launched = Of();
        using (Kernels.Off())
            AssertSame(Of(), launched, 0.01);
    }

    [Fact]
    public void Without_gradients_it_asks_for_none()
    {
        using Tried adapted = new(new LoraMethod { Rank = 2 }, "opt");
        TokenBatch batch = adapted.Backbone.Collate(Texts(), 0);
        using var noGrad = no_grad();
        using (adapted.Arena.Bind())
            Assert.False(adapted.Backbone.Loss(batch, batch.Supervised).requires_grad);
    }

    public void Dispose() => scope.Dispose();

    private static Tensor Whole(Tried adapted, TokenBatch batch) => adapted.Backbone.Predict(batch).SummedLoss().div(Scalars.Count(batch.Supervised, CPU));

    private static (Tensor Loss, Tensor Gradient) Learned(Tried adapted, Func<Tensor> loss)
    {
        adapted.Arena.ZeroGradient();
        using (adapted.Arena.Bind())
        {
            Tensor value = loss();
            value.backward();
            return (value.detach(), adapted.Arena.Gradient.clone());
        }
    }

    private static void AssertSame((Tensor Loss, Tensor Gradient) expected, (Tensor Loss, Tensor Gradient) found, double tolerance)
    {
        Assert.Equal(expected.Loss.item<float>(), found.Loss.item<float>(), tolerance * expected.Loss.item<float>());
        Assert.InRange(Golden.LargestDifference(expected.Gradient, found.Gradient), 0, tolerance * expected.Gradient.abs().max().ToSingle());
        Assert.NotEqual(0, found.Gradient.abs().max().ToSingle());
    }

    private static TokenExample[] Texts() => [new([7, 8, 9, 10, 11, 12]), new([20, 30, 40]), new([50, 60, 70, 80, 90])];

    private static HeadInput Head(long rows, long length, long vocabulary)
    {
        using Generator random = new(3);
        Weight weight = new("lm_head.weight", vocabulary, 4);
        weight.Fill(randn([vocabulary, 4], generator: random));
        return new HeadInput(randn([rows, length, 4], generator: random).requires_grad_(), new Projection("lm_head", Sites.Head, weight, null));
    }

    private static TokenBatch Batch(params long[][] labels)
    {
        Tensor all = tensor([.. labels.SelectMany(row => row)], [labels.Length, labels[0].Length]);
        return new TokenBatch(all, ones_like(all), all, labels.Sum(row => row.Skip(1).LongCount(label => label != TokenBatch.Unsupervised)));
    }
}
