namespace FlatPO.Recipes;

/// <summary>Bytes on the device while a step runs, as the compiler worked them out.</summary>
/// <param name="Rows">Examples of the micro-batch they are for.</param>
/// <param name="Length">Tokens of a row they are for; 0 on a backbone that reads none.</param>
/// <param name="Weights">The frozen backbone.</param>
/// <param name="Batch">What grows with rows and length: what the layers keep for backward, and the logits.</param>
/// <param name="Total">All of it.</param>
public sealed record PlannedMemory(long Rows, long Length, long Weights, long Batch, long Total)
{
    /// <summary>What <see cref="TrainingAttribute.Checkpointing"/> frees of <see cref="Batch"/>; 0 where it is on.</summary>
    public long Recomputable { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{ByteWords.Of(Total)} for {Rows} {(Length > 0 ? $"rows of {Length} tokens" : "rows")}";
}
