using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>The estimate against the device the recipe says it trains on.</summary>
internal static class MemoryRules
{
    /// <summary>What an allocator reserves beyond what is asked of it: up to 14 % in measured runs.</summary>
    private const double Slack = 1.15;

    public static void Check(RecipeModel recipe, MemoryModel memory, Findings findings)
    {
        if (recipe.Training is not { } training || training.Number("DeviceMemory") is not (> 0 and var gibi))
            return;
        if (memory.Fixed > gibi * ByteSize.Gibi)
            findings.Add("FPO3008", Place.Of(training, "DeviceMemory"), recipe.Backbone.Name, ByteSize.InGibi(memory.Fixed), ByteSize.InGibi(gibi * ByteSize.Gibi), Cure(training));
        else if (memory.Total * Slack > gibi * ByteSize.Gibi)
            findings.Add("FPO3009", Place.Of(training, "DeviceMemory"), ByteSize.InGibi(memory.Total), ByteSize.InGibi(gibi * ByteSize.Gibi), ByteSize.InGibi(memory.Activations + memory.Logits), $"{memory.BatchSize} × {memory.Length}");
    }

    private static string Cure(Annotation training) =>
        training.Is("Precision", QuantizedWeights.FourBits) ? "a smaller backbone"
        : MemoryEstimate.IsHalf(training) ? "Precision.NF4 or a smaller backbone"
        : "Precision.BFloat16, Precision.NF4 or a smaller backbone";
}
