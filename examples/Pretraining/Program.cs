// Makes the checkpoint that examples/QuickStart adapts: a small vision transformer, trained from random numbers on upright digits.
//   dotnet run -c Release --project examples/Pretraining [folder with config.json]
using System.Globalization;
using FlatPO.Recipes;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Backbones.Vit;
using FlatPO.Recipes.Examples.Digits;
using FlatPO.Recipes.Examples.Pretraining;
using FlatPO.Recipes.Native;
using TorchSharp;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
string folder = args is [string given] ? given : Path.Combine("examples", "QuickStart", "model");
string scratch = Path.Combine("artifacts", "pretraining");
TorchLibraries.Require();
torch.set_num_threads(1); // the order of additions, and so the last bits of the weights, must not depend on the machine's cores

InitialCheckpoint.Write(folder, scratch, seed: 0);
using ViTForImageClassification vit = BackboneLoader.Load(scratch, Devices.Cpu, Precision.Float32, weights => new ViTForImageClassification(weights));
using WholeModel model = new(vit);

// The QuickStart adapts to training digits 4,000 to 4,999, so they are held out here, and the test digits are never trained on.
IReadOnlyList<Digit> digits = DigitFiles.Training();
new Pretraining { Epochs = 70, BatchSize = 64, LearningRate = 2e-3, WeightDecay = 0.05, Seed = 0 }.Run(model, [.. digits.Take(4000)]);

Console.WriteLine($"accuracy on 1,000 held-out training digits  {model.Accuracy(digits.Skip(4000)):p1}");
Console.WriteLine($"accuracy on 1,000 test digits               {model.Accuracy(DigitFiles.Test()):p1}");
Console.WriteLine($"{model.Arena.Count:n0} weights written to {model.Save(folder)}");
