using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Backbones;

/// <summary>The images and texts of a golden case as examples on the host.</summary>
internal static class ClipExamples
{
    internal static ImageExample[] Images(SafetensorsFile expected)
    {
        using var scope = NewDisposeScope();
        Tensor pixels = expected.Read("pixel_values");
        ImageShape shape = new((int)pixels.size(1), (int)pixels.size(2), (int)pixels.size(3));
        return [.. Enumerable.Range(0, (int)pixels.size(0)).Select(row => new ImageExample(pixels[row].contiguous().data<float>().ToArray(), shape, row))];
    }

    internal static IReadOnlyList<int>[] Texts(SafetensorsFile expected)
    {
        using var scope = NewDisposeScope();
        Tensor ids = expected.Read("input_ids");
        long[] lengths = expected.Read("attention_mask").sum(1).data<long>().ToArray();
        return [.. lengths.Select((length, row) => ids[row].narrow(0, 0, length).data<long>().ToArray().Select(id => (int)id).ToArray())];
    }

    internal static ImageTextExample[] Pairs(SafetensorsFile expected) =>
        [.. Images(expected).Zip(Texts(expected), (image, text) => new ImageTextExample(image.Pixels, image.Shape, text))];
}
