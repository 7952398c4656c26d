namespace FlatPO.Recipes.Generator.Model;

/// <summary>What can be worked out before the first run.</summary>
internal sealed record PlanModel
{
    public required int TrainableTensors { get; init; }

    public required long TrainableParameters { get; init; }

    /// <summary>The backbone's numbers and the adapters' together.</summary>
    public required long TotalParameters { get; init; }

    /// <summary>Null where a run decides.</summary>
    public required int? PerturbedTensors { get; init; }

    /// <summary>Why a trained recipe cannot be merged; null where it can.</summary>
    public required string? CannotMerge { get; init; }

    public required MemoryModel Memory { get; init; }
}

/// <summary>Bytes on the device while a step runs, estimated.</summary>
internal sealed record MemoryModel
{
    /// <summary>Examples of a micro-batch.</summary>
    public required long BatchSize { get; init; }

    /// <summary>Tokens of a row the estimate is for; 0 on a backbone that reads none.</summary>
    public required long Length { get; init; }

    /// <summary>Whether the recipe says the length, or the estimate took one.</summary>
    public required bool LengthIsDeclared { get; init; }

    /// <summary>The backbone.</summary>
    public required long Weights { get; init; }

    /// <summary>The largest weights in full that one product computes with, where the backbone is held in 4 bits: it makes them and forgets them.</summary>
    public required long Unpacked { get; init; }

    /// <summary>Trained numbers, their gradients, half-width copies of low-rank factors, and the copy a climb returns to.</summary>
    public required long Arena { get; init; }

    /// <summary>What the optimizer keeps.</summary>
    public required long Optimizer { get; init; }

    /// <summary>What the layers keep for backward.</summary>
    public required long Activations { get; init; }

    /// <summary>Those of them that need not be kept where layers are run again in backward; 0 where they are.</summary>
    public required long Recomputable { get; init; }

    /// <summary>The last layer's logits and their gradients.</summary>
    public required long Logits { get; init; }

    /// <summary>What is there whatever the batch.</summary>
    public long Fixed => Weights + Unpacked + Arena + Optimizer;

    public long Total => Fixed + Activations + Logits;
}
