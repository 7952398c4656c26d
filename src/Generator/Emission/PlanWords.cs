using System.Globalization;
using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Emission;

/// <summary>The plan in words, for the header and for what a user sees on hover.</summary>
internal static class PlanWords
{
    /// <summary>trains 392 tensors, 9,232,384 of 1,552,946,688 numbers (0.59 %)</summary>
    public static string Counts(PlanModel plan)
    {
        string share = (100.0 * plan.TrainableParameters / Math.Max(1, plan.TotalParameters)).ToString("0.##", CultureInfo.InvariantCulture);
        string trains = $"trains {Literal.InWords(plan.TrainableTensors)} tensors, {Literal.InWords(plan.TrainableParameters)} of {Literal.InWords(plan.TotalParameters)} numbers ({share} %)";
        return plan.PerturbedTensors is { } perturbed ? $"{trains}; each step perturbs {Literal.InWords(perturbed)} of them" : trains;
    }

    /// <summary>The same at the head of a sentence.</summary>
    public static string CountsCapitalised(PlanModel plan)
    {
        string counts = Counts(plan);
        return char.ToUpperInvariant(counts[0]) + counts.Substring(1);
    }

    /// <summary>8 × 512 tokens need about 14.2 GiB</summary>
    public static string Memory(MemoryModel memory) => $"{Batch(memory)} need about {ByteSize.Text(memory.Total)}";

    /// <summary>What the estimate is for.</summary>
    public static string Batch(MemoryModel memory) => memory.Length == 0 ? $"{memory.BatchSize} images"
        : memory.LengthIsDeclared ? $"{memory.BatchSize} × {memory.Length} tokens"
        : $"{memory.BatchSize} × {memory.Length} tokens (no MaxLength is set)";
}
