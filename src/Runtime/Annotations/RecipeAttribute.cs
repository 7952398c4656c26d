namespace FlatPO.Recipes;

/// <summary>Makes a partial class a recipe: the generator checks it against its backbone and writes its training code.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class RecipeAttribute(TaskType task) : Attribute
{
    /// <summary>What the recipe trains for; it decides the type of its examples.</summary>
    public TaskType Task { get; } = task;
}
