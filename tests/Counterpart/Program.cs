// Our half of the comparisons with Python: the scripts beside this file run it and compare.
//   logits MODEL INPUTS OUT FORMAT                          loads a checkpoint in Float32 or BFloat16 (three times, for the time), answers the inputs, writes the logits
//   train MODEL ADAPTER INPUTS OUT STEPS RATE [--fresh]     goes on from an adapter folder (--fresh: from its settings alone), writes the trained folder with its logits, prints the loss before and after
//   adapted MODEL ADAPTER INPUTS OUT                        answers the inputs with an adapter folder, writes the logits
//   frozen MODEL OUT FORMAT                                 loads a checkpoint and writes the numbers of its weights as the network computes with them, in bfloat16 for NF4
// What it refuses stands as one line on the error stream.
using System.Globalization;
using System.Text.Json;
using Counterpart;
using FlatPO.Recipes;
using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
try
{
    return Run(args);
}
catch (RecipeException refused)
{
    Console.Error.WriteLine(refused.Message);
    return 1;
}

static int Run(string[] args)
{
    switch (args)
    {
        case ["logits", string model, string inputs, string output, string format]:
            Answers.Write(model, inputs, output, Enum.Parse<Precision>(format));
            return 0;
        case ["train", string model, string adapter, string inputs, string output, string steps, string rate, .. string[] fresh] when fresh is [] or ["--fresh"]:
            using (AdaptedModel trained = new(model, backbone => fresh is [] ? PeftFolder.Place(backbone, adapter) : FreshAdapter.Place(backbone, adapter), inputs))
            {
                (double before, double after) = trained.Train(int.Parse(steps), double.Parse(rate));
                trained.Save(output);
                trained.WriteLogits(Path.Combine(output, "logits.safetensors"));
                Console.WriteLine(JsonSerializer.Serialize(new { device = trained.Device, before, after }));
            }
            return 0;
        case ["adapted", string model, string adapter, string inputs, string output]:
            using (AdaptedModel adapted = new(model, backbone => PeftFolder.Place(backbone, adapter), inputs))
                adapted.WriteLogits(output);
            return 0;
        case ["frozen", string model, string output, string format]:
            using (Backbone backbone = BackboneLoader.Load(model, Devices.Cpu, Enum.Parse<Precision>(format)))
                SafetensorsWriter.Write(output, backbone.Weights.All.ToDictionary(weight => weight.Name, weight => weight.Frozen.contiguous()));
            return 0;
        default:
            Console.Error.WriteLine("usage: Counterpart logits MODEL INPUTS OUT Float32|BFloat16 | train MODEL ADAPTER INPUTS OUT STEPS RATE [--fresh] | adapted MODEL ADAPTER INPUTS OUT | frozen MODEL OUT Float32|BFloat16|NF4");
            return 2;
    }
}
