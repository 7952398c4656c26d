using System.Diagnostics;
using System.Text.Json;
using FlatPO.Recipes;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using Recipes.Tests;
using static TorchSharp.torch;

namespace Counterpart;

/// <summary>What a backbone answers to inputs from a file, and how long and how large its loading was.</summary>
internal static class Answers
{
    private const int Loads = 3;

    /// <summary>Writes <c>logits</c> and prints a line of JSON: seconds of each load, bytes by which loading raised this process's memory at its peak.</summary>
    internal static void Write(string model, string inputs, string output, Precision precision)
    {
        Device device = Devices.Or(null);
        using (Tensor awake = ones(1, device: device))
            Synchronize(device);
        List<double> seconds = [];
        long grown = 0;
        for (int i = 0; i < Loads; i++)
        {
            GC.Collect();
            ResidentMemory.ForgetPeak();
            long before = ResidentMemory.Now();
            Stopwatch watch = Stopwatch.StartNew();
            using Backbone backbone = BackboneLoader.Load(model, device, precision);
            Synchronize(device);
            seconds.Add(watch.Elapsed.TotalSeconds);
            grown = Math.Max(grown, ResidentMemory.Peak() - before);
            if (i < Loads - 1)
                continue;
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            using SafetensorsFile given = SafetensorsFile.Open(inputs);
            SafetensorsWriter.Write(output, new Dictionary<string, Tensor> { ["logits"] = Inputs.For(backbone, given).Logits() });
        }
        Console.WriteLine(JsonSerializer.Serialize(new { device = device.ToString(), seconds, grown }));
    }

    private static void Synchronize(Device device)
    {
        if (device.type == TorchSharp.DeviceType.CUDA)
            cuda.synchronize();
    }
}
