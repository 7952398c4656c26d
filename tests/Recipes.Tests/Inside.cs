using System.Reflection;
using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Optimization;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace Recipes.Tests;

/// <summary>What a generated recipe keeps to itself.</summary>
internal static class Inside
{
    private const BindingFlags All = BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static;

    internal static AdapterPlacement Placement(object recipe) => (AdapterPlacement)Field(recipe, "placement");

    internal static Arena Arena(object recipe) => (Arena)Field(recipe, "arena");

    internal static BaseOptimizer Optimizer(object recipe) => (BaseOptimizer)Field(recipe, "optimizer");

    /// <summary>A constant of the emitted plan; null where it has none of that name.</summary>
    internal static T? Planned<T>(object recipe, string name)
    {
        Type plan = recipe.GetType().GetNestedType("Plan") ?? throw new ArgumentException($"{recipe.GetType().Name} has no plan", nameof(recipe));
        return (T?)(plan.GetField(name, All)?.GetValue(null) ?? plan.GetProperty(name, All)?.GetValue(null));
    }

    /// <summary>Bytes in the buffers of <paramref name="count"/> numbers that <paramref name="owner"/> holds.</summary>
    internal static long Buffers(object owner, long count) =>
        owner.GetType().GetFields(All).Select(field => field.GetValue(owner)).OfType<Tensor>().Where(buffer => buffer.NumberOfElements == count).Sum(buffer => buffer.NumberOfElements * buffer.ElementSize);

    private static object Field(object recipe, string name) => recipe.GetType().GetField(name, All)!.GetValue(recipe)!;
}
