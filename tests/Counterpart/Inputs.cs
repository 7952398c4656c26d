using FlatPO.Recipes;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace Counterpart;

/// <summary>Inputs under the names transformers has for them, as each task's batch.</summary>
internal static class Inputs
{
    internal static Tensor Logits(Backbone backbone, SafetensorsFile given, Device device)
    {
        Tensor Of(string name) => given.Read(name).to(device);
        TokenBatch Tokens() => new(Of("input_ids"), Of("attention_mask"), Of("input_ids"), 0);
        return backbone switch
        {
            CausalLM decoder => decoder.Logits(Tokens()),
            SequenceClassifier classifier => classifier.Logits(new SequenceBatch(Of("input_ids"), Of("attention_mask"), zeros_like(Of("input_ids")), Of("input_ids"))),
            ImageClassifier classifier => classifier.Logits(new ImageBatch(Of("pixel_values"), zeros(1, ScalarType.Int64, device))),
            ImageTextModel pairs => pairs.Logits(new ImageTextBatch(Of("pixel_values"), Of("input_ids"), Of("attention_mask"))),
            MultimodalLM decoder => decoder.Logits(new MultimodalBatch(Tokens(), Of("pixel_values"), Grids(given))),
            _ => throw new NotSupportedException($"no inputs are known for {backbone.GetType().Name}"),
        };
    }

    private static PatchGrid[] Grids(SafetensorsFile given)
    {
        using Tensor grids = given.Read("image_grid_thw");
        return [.. grids.data<long>().ToArray().Chunk(3).Select(grid => new PatchGrid((int)grid[0], (int)grid[1], (int)grid[2]))];
    }
}
