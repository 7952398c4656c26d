namespace FlatPO.Recipes;

/// <summary>The tasks an adapter method can be trained for; without it, all of them.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class ForTasksAttribute(params TaskType[] tasks) : Attribute
{
    /// <summary>The tasks.</summary>
    public TaskType[] Tasks { get; } = tasks;
}

/// <summary>An adapter method that cannot be added into the weights it sits at: recipes with it have no <c>Merge</c>.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class CannotMergeAttribute(string reason) : Attribute
{
    /// <summary>Why, as a clause: "a scale is not a sum".</summary>
    public string Reason { get; } = reason;
}

/// <summary>
/// What an adapter method keeps for backward at one position of one site, in float32 numbers: an expression over <c>in</c>, <c>out</c> and the annotation's own
/// properties. <c>in</c> unless said otherwise: a method that multiplies its input by something trained keeps that input.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class KeepsForBackwardAttribute(string numbers) : Attribute
{
    /// <summary>The expression.</summary>
    public string Numbers { get; } = numbers;

    /// <summary>
    /// An expression that is not 0 where the method adds a low-rank update to a linear layer and nothing else (<c>AdapterLayer.LowRank</c>): it is then computed with the layer and its
    /// neighbours, and its input is kept in the backbone's format, once for all that read it. Otherwise each makes a float32 copy of an input of another format.
    /// </summary>
    public string IsLowRank { get; set; } = "0";

    /// <summary>An expression that is not 0 where each makes a copy of its input whatever its format, as dropout does.</summary>
    public string CopiesInput { get; set; } = "0";
}

/// <summary>
/// Positions that an adapter method adds to every example at its site: an expression over <c>in</c>, <c>out</c> and the annotation's own properties. They cost the layers what an
/// example's own do, unless <see cref="Kept"/> says otherwise.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class AddsPositionsAttribute(string positions) : Attribute
{
    /// <summary>The expression.</summary>
    public string Positions { get; } = positions;

    /// <summary>For positions that no layer computes, only attends to: the numbers a layer keeps of each for backward, in the backbone's format, as an expression.</summary>
    public string? Kept { get; set; }
}

/// <summary>What an optimizer keeps for every trained number, in float32 numbers: 2 for AdamW's two means.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class OptimizerStateAttribute(int numbers) : Attribute
{
    /// <summary>How many.</summary>
    public int Numbers { get; } = numbers;
}
