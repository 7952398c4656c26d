using TorchSharp;

namespace FlatPO.Recipes.Examples.QuickStart;

/// <summary>A way to train.</summary>
/// <param name="Name">What the table calls it.</param>
/// <param name="Load">Loads its recipe from a model folder, on a device, with a seed.</param>
internal sealed record Method(string Name, Func<string, torch.Device, int, IRecipe<ImageExample>> Load)
{
    internal static IReadOnlyList<Method> All { get; } =
    [
        new("AdamW", (model, device, seed) => ShiftedDigitsAdamW.Load(model, device, new() { Seed = seed })),
        new("SAM", (model, device, seed) => ShiftedDigitsSam.Load(model, device, new() { Seed = seed })),
        new("FlatPO", (model, device, seed) => ShiftedDigitsFlatPO.Load(model, device, new() { Seed = seed })),
    ];
}
