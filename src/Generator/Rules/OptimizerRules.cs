using System.Globalization;
using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>Numbers of the optimizer and its schedule that are allowed and hardly meant.</summary>
internal static class OptimizerRules
{
    /// <summary>A warm-up this long is half the run or more.</summary>
    private const double LongWarmup = 0.5;

    public static void Check(RecipeDeclaration declaration, Findings findings)
    {
        if (declaration.First(AnnotationKind.Optimizer) is { } optimizer)
        {
            if (optimizer.Find("LearningRate") is { Written: true, Value.Number: 0 })
                findings.Add("FPO2012", Place.Of(optimizer, "LearningRate"), optimizer.Name);
            if (optimizer.Find("Beta1") is { Value.Number: var first } && optimizer.Find("Beta2") is { Value.Number: var second } && first > second)
                findings.Add("FPO2014", Place.Of(optimizer, optimizer.Find("Beta1")!.Written ? "Beta1" : "Beta2"), Text(first), Text(second));
        }
        if (declaration.First(AnnotationKind.Schedule) is { } schedule && schedule.Number("WarmupRatio") is >= LongWarmup and <= 1 and var warmup)
            findings.Add("FPO2013", Place.Of(schedule, "WarmupRatio"), Text(warmup), Text(Math.Round(100 * warmup)));
    }

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);
}
