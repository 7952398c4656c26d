using FlatPO.Recipes;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace Counterpart;

/// <summary>Inputs under the names transformers has for them, as each task's batch. Without <c>labels</c> they can be answered, not learned from.</summary>
internal static class Inputs
{
    internal static Question For(Backbone backbone, SafetensorsFile given)
    {
        Tensor Of(string name) => given.Read(name).to(backbone.Device);
        Tensor Labels() => given.Entries.ContainsKey("labels") ? Of("labels") : empty(0, ScalarType.Int64, backbone.Device);
        TokenBatch Tokens() => new(Of("input_ids"), Of("attention_mask"), Labels(), 0);
        return backbone switch
        {
            CausalLM decoder => Question.To(decoder, Tokens(), decoder.Logits),
            SequenceClassifier classifier => Question.To(classifier, new SequenceBatch(Of("input_ids"), Of("attention_mask"), zeros_like(Of("input_ids")), Labels()), classifier.Logits),
            ImageClassifier classifier => Question.To(classifier, new ImageBatch(Of("pixel_values"), Labels()), classifier.Logits),
            ImageTextModel pairs => Question.To(pairs, new ImageTextBatch(Of("pixel_values"), Of("input_ids"), Of("attention_mask")), pairs.Logits),
            MultimodalLM decoder => Question.To(decoder, new MultimodalBatch(Tokens(), Of("pixel_values"), Grids(given)), decoder.Logits),
            _ => throw new NotSupportedException($"no inputs are known for {backbone.GetType().Name}"),
        };
    }

    private static PatchGrid[] Grids(SafetensorsFile given)
    {
        using Tensor grids = given.Read("image_grid_thw");
        return [.. grids.data<long>().ToArray().Chunk(3).Select(grid => new PatchGrid((int)grid[0], (int)grid[1], (int)grid[2]))];
    }
}
