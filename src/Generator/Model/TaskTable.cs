namespace FlatPO.Recipes.Generator.Model;

/// <summary>What a task decides about the emitted code. A new task is a new row.</summary>
/// <param name="Value">Its number in <c>TaskType</c>.</param>
/// <param name="Name">Its name there.</param>
/// <param name="Example">What users train on.</param>
/// <param name="Batch">What a pass sees.</param>
/// <param name="Prediction">What Predict answers for each example; null where the task has no Predict.</param>
/// <param name="Layer">The name of the class that holds one layer's adapters.</param>
internal sealed record TaskRow(long Value, string Name, string Example, string Batch, string? Prediction, string Layer);

internal static class TaskTable
{
    public static EquatableArray<TaskRow> Rows { get; } =
    [
        new(0, "CausalLM", "TokenExample", "TokenBatch", null, "DecoderLayer"),
        new(1, "ImageClassification", "ImageExample", "ImageBatch", "int", "EncoderLayer"),
        new(2, "SequenceClassification", "SequenceExample", "SequenceBatch", "int", "EncoderLayer"),
        new(3, "ImageTextContrastive", "ImageTextExample", "ImageTextBatch", null, "EncoderLayer"),
        new(4, "ImageTextToText", "MultimodalExample", "MultimodalBatch", null, "DecoderLayer"),
    ];

    public static TaskRow? Find(long value) => Rows.FirstOrDefault(row => row.Value == value);

    /// <summary>A task's name for messages.</summary>
    public static string NameOf(long value) => Find(value)?.Name ?? $"task {value}";
}
