namespace FlatPO.Recipes;

/// <summary>What a recipe trains for (PEFT's <c>task_type</c>).</summary>
public enum TaskType
{
    /// <summary>Next-token prediction; examples are <c>TokenExample</c>.</summary>
    CausalLM,

    /// <summary>One label an image; examples are <c>ImageExample</c>.</summary>
    ImageClassification,
}
