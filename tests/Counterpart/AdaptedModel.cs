using FlatPO.Recipes;
using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Optimization;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace Counterpart;

/// <summary>A checkpoint in float32 with an adapter on it and the inputs it is asked about, on the GPU where there is one.</summary>
internal sealed class AdaptedModel : IDisposable
{
    private readonly Backbone backbone;
    private readonly AdapterPlacement placement;
    private readonly Arena arena;
    private readonly Question question;

    /// <summary>Loads <paramref name="model"/>, lets <paramref name="place"/> put an adapter on it and reads <paramref name="inputs"/>.</summary>
    internal AdaptedModel(string model, Func<Backbone, AdapterPlacement> place, string inputs)
    {
        backbone = BackboneLoader.Load(model, Devices.Or(null), Precision.Float32);
        backends.cudnn.allow_tf32 = false; // PyTorch's default for the convolution that cuts patches: three digits instead of seven
        placement = place(backbone);
        arena = placement.BuildArena();
        using SafetensorsFile given = SafetensorsFile.Open(inputs);
        question = Inputs.For(backbone, given);
    }

    internal string Device => backbone.Device.ToString();

    /// <summary>Steps of plain AdamW with PyTorch's defaults; the loss in evaluation before and after.</summary>
    internal (double Before, double After) Train(int steps, double rate)
    {
        long supervised = Asked(() => question.Predict().Labels.cpu().data<long>().ToArray().LongCount(label => label != TokenBatch.Unsupervised));
        double before = Loss(supervised);
        using AdamW optimizer = new(arena) { LearningRate = rate };
        optimizer.Schedule(1);
        placement.Training = true;
        for (int step = 0; step < steps; step++)
        {
            using var scope = NewDisposeScope();
            arena.ZeroGradient();
            using (arena.Bind())
                question.Loss(supervised).backward();
            optimizer.Step();
        }
        placement.Training = false;
        return (before, Loss(supervised));
    }

    internal void Save(string folder) => placement.Save(folder);

    internal void WriteLogits(string file) => Asked(() =>
    {
        SafetensorsWriter.Write(file, new Dictionary<string, Tensor> { ["logits"] = question.Logits() });
        return file;
    });

    /// <inheritdoc/>
    public void Dispose()
    {
        arena.Dispose();
        backbone.Dispose();
    }

    private double Loss(long supervised) => Asked(() => (double)question.Loss(supervised).item<float>());

    private T Asked<T>(Func<T> ask)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var live = arena.Bind();
        return ask();
    }
}
