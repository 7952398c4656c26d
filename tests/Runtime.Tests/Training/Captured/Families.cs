using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Tests.Backbones;
using FlatPO.Recipes.Tests.Backbones.Qwen25VL;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Training.Captured;

/// <summary>Something done with a backbone of any task.</summary>
internal interface IOnFamily<out T>
{
    T On<TExample, TBatch>(Backbone<TExample, TBatch> backbone, TExample[] examples)
        where TBatch : IBatch;
}

/// <summary>The golden backbones with examples for each: rows of many lengths, images.</summary>
internal static class Families
{
    internal static TheoryData<string> All => ["opt", "llama", "llama3", "mistral", "qwen2", "qwen3", "bert", "roberta", "vit", "clip", "qwen2_5_vl"];

    /// <summary>Loads a backbone and does something with it. Rows are <paramref name="lengths"/> tokens long, where the task leaves a choice.</summary>
    internal static T Visit<T>(string folder, Device device, int[] lengths, IOnFamily<T> visitor, Precision precision = Precision.Float32)
    {
        using Backbone backbone = BackboneLoader.Load(folder, device, precision);
        Random random = new(7);
        return backbone switch
        {
            CausalLM causal => visitor.On(causal, [.. lengths.Select(length => new TokenExample(Ids(length)))]),
            SequenceClassifier classifier => visitor.On(classifier, [.. lengths.Select((length, i) => new SequenceExample(Ids(length), i % 2))]),
            ImageClassifier images => visitor.On(images, [.. lengths.Select((_, i) => Image(i))]),
            ImageTextModel pairs => visitor.On(pairs, Pairs(folder)),
            MultimodalLM multimodal => visitor.On(multimodal, QwenVlBatches.Rows(multimodal)),
            _ => throw new NotSupportedException($"{backbone.GetType().Name} has no examples here"),
        };

        int[] Ids(int length) => [.. Enumerable.Range(0, length).Select(_ => random.Next(5, (int)backbone.Config.Int("vocab_size")))];

        ImageExample Image(int label)
        {
            (int channels, int side) = ((int)backbone.Config.Int("num_channels"), (int)backbone.Config.Int("image_size"));
            return new ImageExample([.. Enumerable.Range(0, channels * side * side).Select(_ => (float)(2 * random.NextDouble() - 1))], new ImageShape(channels, side, side), label % 2);
        }
    }

    private static ImageTextExample[] Pairs(string folder)
    {
        using var expected = Golden.Case(folder);
        return ClipExamples.Pairs(expected);
    }
}
