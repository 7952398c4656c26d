namespace FlatPO.Recipes.Generator.Model;

/// <summary>Every type of the runtime that emitted code names, by namespace. A test holds the table against the runtime.</summary>
internal static class RuntimeTypes
{
    /// <summary>The namespace users import.</summary>
    public const string Root = "FlatPO.Recipes";

    /// <summary>Simple name to full name.</summary>
    public static IReadOnlyDictionary<string, string> FullNames { get; } = new[]
    {
        (Root, "Bounds IMergeable PlannedTensor TokenExample ImageExample SequenceExample ImageTextExample MultimodalExample Completion GeneratedToken GenerationSettings Sites Precision Normalization"),
        ($"{Root}.Adapters", "AdapterPlacement MergedWeights"),
        ($"{Root}.Backbones", "BackboneLoader"),
        ($"{Root}.Batches", "TokenBatch ImageBatch SequenceBatch ImageTextBatch MultimodalBatch"),
        ($"{Root}.Generation", "TextGenerator"),
        ($"{Root}.Native", "Devices"),
        ($"{Root}.Optimization", "BaseOptimizer LearningRateSchedule ConstantSchedule"),
        ($"{Root}.Sharpness", "Ranking Selection ClimbMetric"),
        ($"{Root}.Trainables", "Arena"),
        ($"{Root}.Training", "CompiledFor Evaluation Evaluator RunRules StepReport TrainingLoop TrainingProgress TrainingReport"),
        ("TorchSharp.torch", "Device Tensor"),
        ("System", "InvalidOperationException"),
        ("System.CodeDom.Compiler", "GeneratedCodeAttribute"),
        ("System.Threading", "CancellationToken"),
    }
    .SelectMany(row => row.Item2.Split(' ').Select(name => (Name: name, Full: $"{row.Item1}.{name}")))
    .ToDictionary(pair => pair.Name, pair => pair.Full);

    /// <summary>Namespaces every emitted file imports, for generic types and extension methods; others are imported where a word of theirs is used.</summary>
    public static EquatableArray<string> AlwaysImported { get; } =
    [
        "System",
        "System.Collections.Generic",
        Root,
        $"{Root}.Adapters",
        $"{Root}.Optimization",
        $"{Root}.Sharpness",
        $"{Root}.Training",
    ];

    /// <summary>The interface of every recipe, generic in its example.</summary>
    public const string RecipeInterface = "IRecipe";

    /// <summary>Whether a namespace may be imported whole: its types are known not to clash. TorchSharp.torch is a class.</summary>
    public static bool IsImportable(string @namespace) => @namespace != "TorchSharp.torch" && Namespaces.Contains(@namespace);

    private static readonly HashSet<string> Namespaces = [.. FullNames.Values.Select(TypeNames.Qualifier)];

    /// <summary>Members every recipe gets; a user's own of these names would collide.</summary>
    public static EquatableArray<string> RecipeMembers { get; } =
    [
        "Plan", "Settings", "AdapterSet", "Adapters", "Step", "Pass", "Load", "Train", "Loop", "Evaluate", "Evaluator", "Predict", "Generate", "SaveAdapter", "LoadAdapter", "Merge",
        "Dispose", "backbone", "placement", "arena", "ranking", "settings", "run", "optimizer",
    ];
}
