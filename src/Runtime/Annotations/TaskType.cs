namespace FlatPO.Recipes;

/// <summary>What a recipe trains for (PEFT's <c>task_type</c>).</summary>
public enum TaskType
{
    /// <summary>Next-token prediction; examples are <c>TokenExample</c>.</summary>
    CausalLM,

    /// <summary>One label an image; examples are <c>ImageExample</c>.</summary>
    ImageClassification,

    /// <summary>One label a text; examples are <c>SequenceExample</c>.</summary>
    SequenceClassification,

    /// <summary>Images and texts that belong together, told from those that do not (CLIP); examples are <c>ImageTextExample</c>.</summary>
    ImageTextContrastive,

    /// <summary>Next-token prediction over text with images in it; examples are <c>MultimodalExample</c>.</summary>
    ImageTextToText,
}
