namespace FlatPO.Recipes;

/// <summary>Names the backbones an assembly offers to recipes; the generator reads their declarations from there.</summary>
[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
public sealed class DeclaresBackboneAttribute(Type type) : Attribute
{
    /// <summary>A class with <see cref="BackboneFamilyAttribute"/> and <see cref="SiteAttribute"/>s.</summary>
    public Type Type { get; } = type;
}

/// <summary>
/// What a backbone class is. Sizes are expressions over <c>config.json</c>: keys (with dots into nested objects), numbers, <c>+ - * /</c>, <c>min(a, b)</c>,
/// <c>a == b</c> and <c>a != b</c> (1 or 0), <c>a ?? b</c> for a key that may be missing or null, and <c>key.count</c> for the length of a list or object.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class BackboneFamilyAttribute(string modelType, TaskType task) : Attribute
{
    /// <summary><c>model_type</c> of config.json.</summary>
    public string ModelType { get; } = modelType;

    /// <summary>The task the class can do.</summary>
    public TaskType Task { get; } = task;

    /// <summary>Longest sequence of tokens, or "" where there is none.</summary>
    public string MaxLength { get; set; } = "";

    /// <summary>Keys of config.json that must be the same at compile time and in the folder a recipe loads.</summary>
    public string[] Shape { get; set; } = ["hidden_size", "num_hidden_layers"];
}

/// <summary>
/// A stack of layers of a backbone, and what the compiler needs to count its numbers and estimate its memory. A backbone of one stack declares one tower without
/// a role; one that sees and reads declares two. Without a declaration it is one tower of <c>num_hidden_layers</c> layers.
/// </summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class TowerAttribute(Towers role = Towers.None) : Attribute
{
    /// <summary>What the tower reads; <see cref="Towers.None"/> for the only one.</summary>
    public Towers Role { get; } = role;

    /// <summary>Number of repeated layers.</summary>
    public string Layers { get; set; } = "num_hidden_layers";

    /// <summary>Numbers in all weights outside the layers that belong to no site: tables of positions.</summary>
    public string Weights { get; set; } = "0";

    /// <summary>Numbers in the weights of one layer that belong to no site.</summary>
    public string LayerWeights { get; set; } = "0";

    /// <summary>Positions the tower computes for one example; <c>length</c> is the row's number of tokens, <c>pixels</c> the budget of one image.</summary>
    public string Positions { get; set; } = "length";

    /// <summary>Pixels of an image that become one token of the row; 0 where images are no tokens.</summary>
    public string PixelsPerToken { get; set; } = "0";

    /// <summary>
    /// Numbers that one layer keeps for backward at one position while the layers carry adapters, those of the adapters themselves not counted: what
    /// norms, attention and the feed-forward block save. A frozen linear layer saves nothing. What <see cref="Sites.Output"/> reads, attention's mixture, is counted here.
    /// </summary>
    public string LayerActivations { get; set; } = "0";

    /// <summary>
    /// The same where the feed-forward block (<see cref="Sites.FeedForward"/>) is one operation, which it is while nothing but low-rank updates sits at it: what its layers read is counted
    /// here, or computed anew in backward. Null on a backbone whose block never is.
    /// </summary>
    public string? FusedActivations { get; set; }
}

/// <summary>
/// A place an adapter may sit, declared in the order transformers lists its modules: a linear layer y = x Wᵀ + b; a table of <c>In</c> vectors
/// (<see cref="Sites.Embedding"/>); a norm, whose <c>In</c> and <c>Out</c> are its width (<see cref="Sites.Norm"/>); or where vectors of <c>Out</c> numbers enter the
/// layers (<see cref="Sites.Inputs"/>), with <c>In</c> the width of a layer's keys, 0 where its layers take no prefix.
/// </summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class SiteAttribute(string module, Sites role) : Attribute
{
    /// <summary>Module path as transformers 5 spells it; <c>{layer}</c> stands for the layer's number.</summary>
    public string Module { get; } = module;

    /// <summary>The role the module plays.</summary>
    public Sites Role { get; } = role;

    /// <summary>Width of the input.</summary>
    public required string In { get; set; }

    /// <summary>Width of the output.</summary>
    public required string Out { get; set; }

    /// <summary>Whether the layer has a bias: 1, 0, or an expression over boolean keys of config.json (<c>attention_bias ?? 0</c>).</summary>
    public string Bias { get; set; } = "0";

    /// <summary>The tower it belongs to, on a backbone that declares several.</summary>
    public Towers Tower { get; set; }

    /// <summary>Whether it exists: not where the expression is 0.</summary>
    public string When { get; set; } = "1";

    /// <summary>Whether its weight is the embedding's: where the expression is not 0, it has no numbers of its own.</summary>
    public string Tied { get; set; } = "0";

    /// <summary>Module path in published checkpoints (and in adapters trained under transformers 4), where it differs.</summary>
    public string? Published { get; set; }
}
