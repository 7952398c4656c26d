namespace FlatPO.Recipes.Generator.Model;

/// <summary>Every type of the runtime that emitted code names, by namespace. A test holds the table against the runtime.</summary>
internal static class RuntimeTypes
{
    private const string Root = "FlatPO.Recipes";

    /// <summary>Simple name to full name.</summary>
    public static IReadOnlyDictionary<string, string> FullNames { get; } = new[]
    {
        (Root, "Bounds Sites Precision Normalization"),
        ($"{Root}.Adapters", "AdapterPlacement"),
        ($"{Root}.Backbones", "BackboneLoader"),
        ($"{Root}.Batches", "TokenExample TokenBatch ImageExample ImageBatch"),
        ($"{Root}.Native", "Devices"),
        ($"{Root}.Optimization", "BaseOptimizer LearningRateSchedule ConstantSchedule"),
        ($"{Root}.Sharpness", "Ranking Selection ClimbMetric"),
        ($"{Root}.Trainables", "Arena"),
        ($"{Root}.Training", "CompiledFor Evaluation StepReport TrainingLoop TrainingProgress TrainingReport"),
        ("TorchSharp.torch", "Device Tensor"),
        ("System", "IDisposable InvalidOperationException"),
        ("System.CodeDom.Compiler", "GeneratedCodeAttribute"),
        ("System.Threading", "CancellationToken"),
    }
    .SelectMany(row => row.Item2.Split(' ').Select(name => (Name: name, Full: $"{row.Item1}.{name}")))
    .ToDictionary(pair => pair.Name, pair => pair.Full);

    /// <summary>Namespaces emitted code imports whole: for generic types, which cannot be aliased, and extension methods.</summary>
    public static EquatableArray<string> Namespaces { get; } =
    [
        "System",
        "System.Collections.Generic",
        $"{Root}.Adapters",
        $"{Root}.Optimization",
        $"{Root}.Sharpness",
        $"{Root}.Training",
    ];

    /// <summary>Members every recipe gets; a user's own of these names would collide.</summary>
    public static EquatableArray<string> RecipeMembers { get; } =
    [
        "Plan", "Settings", "AdapterSet", "Adapters", "Step", "Pass", "Loop", "Load", "Train", "Evaluate", "SaveAdapter", "LoadAdapter", "Merge",
        "Dispose", "backbone", "placement", "arena", "ranking", "settings", "run", "optimizer",
    ];
}
