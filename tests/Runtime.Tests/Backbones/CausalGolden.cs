using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using Xunit.Abstractions;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Backbones;

[Trait("Category", Golden.Category)]
public sealed class CausalGolden(ITestOutputHelper output)
{
    private const double Tolerance = 1e-4;

    [Theory]
    [InlineData("opt", Padding.Unknown)]
    [InlineData("opt", Padding.Right)]
    [InlineData("llama", Padding.Unknown)]
    [InlineData("llama", Padding.Right)]
    [InlineData("llama3", Padding.Unknown)]
    [InlineData("llama3", Padding.Right)]
    [InlineData("qwen2", Padding.Unknown)]
    [InlineData("qwen2", Padding.Right)]
    [InlineData("mistral", Padding.Unknown)]
    [InlineData("mistral", Padding.Right)]
    [InlineData("qwen3", Padding.Unknown)]
    [InlineData("qwen3", Padding.Right)]
    public void Logits_and_loss_are_those_of_transformers(string name, Padding padding) => AssertSame(Golden.Backbone(name), padding);

    [Theory]
    [InlineData("opt_post")]
    [InlineData("opt_bare")]
    [InlineData("llama_bias")]
    [InlineData("qwen2_window")]
    [InlineData("llama_dynamic")]
    [InlineData("llama_yarn")]
    [InlineData("mistral_full")]
    [InlineData("qwen2_yarn")]
    [InlineData("qwen3_window")]
    public void So_they_are_under_less_usual_settings(string name) => AssertSame(Golden.Variant(name), Padding.Unknown);

    private void AssertSame(string folder, Padding padding)
    {
        using var scope = NewDisposeScope();
        using SafetensorsFile expected = Golden.Case(folder);
        using var backbone = (CausalLM)BackboneLoader.Load(folder, CPU, Precision.Float32);
        TokenBatch batch = Batch(expected) with { Padding = padding };

        Tensor tokens = batch.AttentionMask.ne(0);
        double logits = Golden.LargestDifference(backbone.Logits(batch)[tokens], expected.Read("logits")[tokens]);
        double loss = Golden.LargestDifference(backbone.Loss(batch, batch.Supervised).reshape(1), expected.Read("loss"));

        output.WriteLine($"{Path.GetFileName(folder)}, padding {padding}: largest difference of logits {logits:e2}, of loss {loss:e2}");
        Assert.InRange(logits, 0, Tolerance);
        Assert.InRange(loss, 0, Tolerance);
    }

    [Theory]
    [InlineData("opt")]
    [InlineData("llama")]
    [InlineData("llama3")]
    [InlineData("qwen2")]
    [InlineData("mistral")]
    [InlineData("qwen3")]
    public void Bfloat16_stays_near_float32(string name)
    {
        using var scope = NewDisposeScope();
        using SafetensorsFile expected = Golden.Case(Golden.Backbone(name));
        using var backbone = (CausalLM)BackboneLoader.Load(Golden.Backbone(name), CPU, Precision.BFloat16);
        TokenBatch batch = Batch(expected);

        Tensor logits = backbone.Logits(batch);
        double loss = Golden.LargestDifference(backbone.Loss(batch, batch.Supervised).reshape(1), expected.Read("loss"));

        output.WriteLine($"{name} in bfloat16: difference of loss {loss:e2}");
        Assert.Equal(ScalarType.BFloat16, logits.dtype);
        Assert.InRange(loss, 0, 0.05); // bfloat16 keeps 8 bits: half a percent of a loss near 6, with room
    }

    [Fact]
    public void Padding_on_the_left_changes_nothing_but_positions()
    {
        using var scope = NewDisposeScope();
        using var backbone = (CausalLM)BackboneLoader.Load(Golden.Backbone("opt"), CPU, Precision.Float32);
        Tensor ids = randint(5, backbone.Config.Int("vocab_size"), [1, 9]);
        Tensor padded = cat([zeros(1, 4, int64), ids], 1), mask = cat([zeros(1, 4, int64), ones(1, 9, int64)], 1);

        Tensor plain = backbone.Logits(new TokenBatch(ids, ones_like(ids), ids, 8));
        Tensor shifted = backbone.Logits(new TokenBatch(padded, mask, padded, 8));

        Assert.InRange(Golden.LargestDifference(shifted.narrow(1, 4, 9), plain), 0, Tolerance);
        Assert.True(shifted.isfinite().all().item<bool>());
    }

    internal static TokenBatch Batch(SafetensorsFile expected)
    {
        Tensor labels = expected.Read("labels");
        long supervised = labels.narrow(1, 1, labels.size(1) - 1).ne(TokenBatch.Unsupervised).sum().item<long>();
        return new TokenBatch(expected.Read("input_ids"), expected.Read("attention_mask"), labels, supervised);
    }
}
