using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Examples.Digits;
using FlatPO.Recipes.Trainables;
using FlatPO.Recipes.Training;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Examples.Pretraining;

/// <summary>A backbone every weight of which is trained: no adapters, the whole checkpoint in one arena.</summary>
internal sealed class WholeModel : IDisposable
{
    internal WholeModel(ImageClassifier backbone)
    {
        Backbone = backbone;
        foreach (Weight weight in backbone.Weights.All)
            weight.Trainable = new TrainableTensor(weight.Name, Sites.None, TrainableKind.SavedModule, weight.Frozen.clone());
        Arena = new Arena([.. backbone.Weights.All.Select(weight => weight.Trainable!)], backbone.Device);
    }

    /// <summary>The network.</summary>
    internal ImageClassifier Backbone { get; }

    /// <summary>Its weights, in one buffer.</summary>
    internal Arena Arena { get; }

    internal double Accuracy(IEnumerable<Digit> digits) =>
        new Evaluator(new AdapterPlacement(Backbone, seed: 0), Arena) { BatchSize = 250 }.Evaluate(Backbone, [.. digits.Select(digit => digit.ToExample())]).Accuracy;

    /// <summary>Writes the weights under their published names and returns the file's path.</summary>
    internal string Save(string folder)
    {
        using var scope = NewDisposeScope();
        string path = Path.Combine(folder, Checkpoint.SingleFile);
        SafetensorsWriter.Write(path, Backbone.Weights.All.ToDictionary(weight => weight.Name, weight => weight.Trainable!.Value));
        return path;
    }

    public void Dispose() => Arena.Dispose();
}
