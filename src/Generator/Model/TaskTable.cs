namespace FlatPO.Recipes.Generator.Model;

/// <summary>What a task decides about the emitted code. A new task is a new row.</summary>
/// <param name="Value">Its number in <c>TaskType</c>.</param>
/// <param name="Name">Its name there.</param>
/// <param name="Example">What users train on.</param>
/// <param name="Batch">What a pass sees.</param>
/// <param name="Prediction">What Predict answers for each example; null where the task has no Predict.</param>
/// <param name="Layer">The name of the class that holds one layer's adapters.</param>
internal sealed record TaskRow(long Value, string Name, string Example, string Batch, string? Prediction, string Layer)
{
    /// <summary>Whether rows of tokens go in.</summary>
    public bool ReadsTokens { get; init; } = true;

    /// <summary>Whether images are tokens of the rows.</summary>
    public bool ReadsImageTokens { get; init; }

    /// <summary>Whether every position predicts one of a vocabulary.</summary>
    public bool PredictsTokens { get; init; }

    /// <summary>What Generate continues; null where the task has no Generate.</summary>
    public string? Prompt { get; init; }

    /// <summary>Whether each example has one of the labels of a head that training usually begins anew.</summary>
    public bool Classifies { get; init; }

    /// <summary>Whether an example is told from the others of its micro-batch.</summary>
    public bool Contrasts { get; init; }
}

internal static class TaskTable
{
    public static EquatableArray<TaskRow> Rows { get; } =
    [
        new(0, "CausalLM", "TokenExample", "TokenBatch", null, "DecoderLayer") { PredictsTokens = true, Prompt = "IReadOnlyList<int>" },
        new(1, "ImageClassification", "ImageExample", "ImageBatch", "int", "EncoderLayer") { ReadsTokens = false, Classifies = true },
        new(2, "SequenceClassification", "SequenceExample", "SequenceBatch", "int", "EncoderLayer") { Classifies = true },
        new(3, "ImageTextContrastive", "ImageTextExample", "ImageTextBatch", null, "EncoderLayer") { Contrasts = true },
        new(4, "ImageTextToText", "MultimodalExample", "MultimodalBatch", null, "DecoderLayer") { ReadsImageTokens = true, PredictsTokens = true, Prompt = "MultimodalExample" },
    ];

    public static TaskRow? Find(long value) => Rows.FirstOrDefault(row => row.Value == value);

    /// <summary>A task's name for messages.</summary>
    public static string NameOf(long value) => Find(value)?.Name ?? $"task {value}";
}
