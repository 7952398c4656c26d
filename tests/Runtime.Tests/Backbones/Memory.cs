using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Trainables;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Backbones;

[Trait("Category", Golden.Category)]
public sealed class Memory
{
    [Theory]
    [InlineData("opt", Precision.Float32)]
    [InlineData("llama", Precision.Float32)]
    [InlineData("llama3", Precision.BFloat16)]
    [InlineData("qwen2", Precision.BFloat16)]
    [InlineData("mistral", Precision.Float32)]
    [InlineData("qwen3", Precision.BFloat16)]
    public void A_second_pass_leaves_no_tensor_behind(string name, Precision precision)
    {
        using SafetensorsFile expected = Golden.Case(Golden.Backbone(name));
        using var backbone = (CausalLM)BackboneLoader.Load(Golden.Backbone(name), CPU, precision);
        using TokenBatch batch = CausalGolden.Batch(expected);
        AssertFlat(backbone, () => backbone.Loss(batch, batch.Supervised));
    }

    [Theory]
    [InlineData(Precision.Float32)]
    [InlineData(Precision.BFloat16)]
    public void A_second_pass_over_images_leaves_no_tensor_behind(Precision precision)
    {
        using SafetensorsFile expected = Golden.Case(Golden.Backbone("vit"));
        using var backbone = (ImageClassifier)BackboneLoader.Load(Golden.Backbone("vit"), CPU, precision);
        using ImageBatch batch = new(expected.Read("pixel_values"), expected.Read("labels"));
        AssertFlat(backbone, () => backbone.Loss(batch, batch.Supervised));
    }

    [Theory]
    [InlineData(Precision.Float32)]
    [InlineData(Precision.BFloat16)]
    public void A_second_pass_over_images_and_texts_leaves_no_tensor_behind(Precision precision)
    {
        using var outer = NewDisposeScope();
        using SafetensorsFile expected = Golden.Case(Golden.Backbone("clip"));
        using var backbone = (ImageTextModel)BackboneLoader.Load(Golden.Backbone("clip"), CPU, precision);
        ImageTextBatch batch = ClipGolden.Pairs(expected);
        AssertFlat(backbone, () => backbone.Loss(batch, batch.Supervised));
        AssertFlat(backbone, () => backbone.Loss(batch with { Padding = Batches.Padding.Right }, batch.Supervised));
    }

    [Theory]
    [InlineData("bert", Precision.Float32)]
    [InlineData("roberta", Precision.BFloat16)]
    public void A_second_pass_over_texts_leaves_no_tensor_behind(string name, Precision precision)
    {
        using SafetensorsFile expected = Golden.Case(Golden.Backbone(name));
        using var backbone = (SequenceClassifier)BackboneLoader.Load(Golden.Backbone(name), CPU, precision);
        using SequenceBatch batch = SequenceGolden.Batch(expected);
        AssertFlat(backbone, () => backbone.Loss(batch, batch.Supervised));
    }

    [Fact]
    public void Disposing_a_backbone_frees_every_weight()
    {
        long before = Live();
        using (BackboneLoader.Load(Golden.Backbone("llama3"), CPU, Precision.Float32))
            Assert.NotEqual(before, Live());
        Assert.Equal(before, Live());
    }

    private static void AssertFlat(Backbone backbone, Func<Tensor> loss)
    {
        using Generator random = new(7);
        List<TrainableTensor> tensors = [];
        foreach (Projection projection in backbone.Weights.Projections.Where(projection => (projection.Role & Sites.AllLinear) != 0))
        {
            LoraPair pair = new LoraMethod { Rank = 2 }.Place(projection, random);
            projection.Take(pair);
            tensors.AddRange(pair.Tensors);
        }
        using Arena arena = new(tensors, CPU);

        Pass();
        long before = Live();
        Pass();

        Assert.Equal(before, Live());
        Assert.True(arena.Gradient.abs().max().item<float>() > 0);

        void Pass()
        {
            using var scope = NewDisposeScope();
            using (arena.Bind())
                loss().backward();
        }
    }

    // Tensors of this thread that are alive, in a scope or outside of any.
    private static long Live()
    {
        var tensors = DisposeScopeManager.Statistics.TensorStatistics;
        return tensors.ThreadTotalLiveCount;
    }
}
