using System.Collections.Concurrent;
using System.Reflection;
using FlatPO.Recipes.Backbones;

namespace FlatPO.Recipes.Adapters;

/// <summary>The tasks a method can be trained for, as its annotation says it to the compiler.</summary>
internal static class MethodTasks
{
    private static readonly ConcurrentDictionary<Type, TaskType[]> Known = new();

    /// <summary>Throws FPO1025 where the method is for other tasks than the backbone's.</summary>
    internal static void Check(AdapterMethod method, Backbone backbone)
    {
        TaskType[] tasks = Known.GetOrAdd(method.GetType(), Of);
        if (tasks.Length > 0 && backbone.GetType().GetCustomAttribute<BackboneFamilyAttribute>() is { } family && !tasks.Contains(family.Task))
            throw new RecipeException("FPO1025", $"{method.PeftType} cannot be trained for {family.Task}, the task of {backbone.GetType().Name}; it is for {string.Join(", ", tasks)}");
    }

    private static TaskType[] Of(Type method) =>
        [.. method.Assembly.GetTypes().Where(type => type.GetCustomAttribute<RealizedByAttribute>()?.Type == method).SelectMany(type => type.GetCustomAttribute<ForTasksAttribute>()?.Tasks ?? [])];
}
