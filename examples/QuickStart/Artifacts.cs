using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Backbones.Vit;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Examples.QuickStart;

/// <summary>What a run of the program leaves behind in <paramref name="folder"/>. Every method returns the path it wrote.</summary>
internal sealed class Artifacts(string folder, string model)
{
    // Enough to compare with another implementation.
    private const int DumpedImages = 16;

    private string Adapter => Path.GetFullPath(Path.Combine(folder, "adapter"));

    /// <summary>Copies a run's adapter, in PEFT's layout, to where it is easy to find.</summary>
    internal string SaveAdapter(string run)
    {
        Directory.CreateDirectory(Adapter);
        foreach (string file in Directory.GetFiles(run))
            File.Copy(file, Path.Combine(Adapter, Path.GetFileName(file)), overwrite: true);
        return Adapter;
    }

    internal string SavePlot(IReadOnlyList<Outcome> outcomes)
    {
        string path = Path.GetFullPath(Path.Combine(folder, "sharpness.png"));
        SharpnessPlot.Save(path, outcomes);
        return path;
    }

    /// <summary>Writes images and what the backbone answers with the saved adapter, for tests/Counterpart/check_quickstart.py.</summary>
    internal string DumpLogits(string file, IReadOnlyList<ImageExample> examples)
    {
        using ViTForImageClassification backbone = BackboneLoader.Load(model, Devices.Cpu, Precision.Float32, weights => new ViTForImageClassification(weights));
        using Arena arena = PeftFolder.Place(backbone, Adapter).BuildArena();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var live = arena.Bind();
        ImageBatch batch = Collation.Images([.. examples.Take(DumpedImages)], CPU);
        string path = Path.GetFullPath(file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        SafetensorsWriter.Write(path, new Dictionary<string, Tensor> { ["pixel_values"] = batch.PixelValues, ["logits"] = backbone.Logits(batch) });
        return path;
    }
}
