using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Examples.Digits;
using FlatPO.Recipes.Optimization;
using FlatPO.Recipes.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Examples.Pretraining;

/// <summary>Plain training with AdamW and a cosine, on digits that are turned and moved a little anew in every epoch.</summary>
internal sealed class Pretraining
{
    // Upright, as people write: up to 10° to either side and 2 pixels off the middle.
    private const double Degrees = 10;
    private const int Pixels = 2;

    internal required int Epochs { get; init; }
    internal required int BatchSize { get; init; }
    internal required double LearningRate { get; init; }
    internal required double WeightDecay { get; init; }
    internal required int Seed { get; init; }

    internal void Run(WholeModel model, Digit[] digits)
    {
        using AdamW optimizer = new(model.Arena) { LearningRate = LearningRate, WeightDecay = WeightDecay };
        CosineSchedule schedule = new() { WarmupRatio = 0.1 };
        Random random = new(Seed);
        int perEpoch = digits.Length / BatchSize;
        for (int epoch = 0; epoch < Epochs; epoch++)
        {
            double loss = 0;
            random.Shuffle(digits);
            for (int step = 0; step < perEpoch; step++)
            {
                using var scope = NewDisposeScope();
                ImageExample[] batch = [.. digits.AsSpan(step * BatchSize, BatchSize).ToArray().Select(digit => digit.With(image => Jitter(image, random)).ToExample())];
                int done = epoch * perEpoch + step;
                optimizer.Schedule(schedule.Factor(done, Epochs * perEpoch));
                loss += Step(model, optimizer, new Window<ImageBatch>([Collation.Images(batch, model.Arena.Device)], new RunSeed(Seed, done))).ToDouble();
            }
            if ((epoch + 1) % 10 == 0)
                Console.WriteLine($"epoch {epoch + 1,3} of {Epochs}  mean loss {loss / perEpoch:f4}");
        }
    }

    private static Tensor Step(WholeModel model, AdamW optimizer, Window<ImageBatch> window)
    {
        Tensor loss = window.Pass(model.Arena, model.Backbone.Loss);
        model.Arena.ClipGradient(maxNorm: 1);
        optimizer.Step();
        return loss;
    }

    private static GreyImage Jitter(GreyImage image, Random random) =>
        image.Rotate(Degrees * (2 * random.NextDouble() - 1)).Shift(random.Next(-Pixels, Pixels + 1), random.Next(-Pixels, Pixels + 1));
}
