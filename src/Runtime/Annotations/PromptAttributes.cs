using FlatPO.Recipes.Adapters.PrefixTuning;
using FlatPO.Recipes.Adapters.PromptTuning;
using FlatPO.Recipes.Adapters.PTuning;
using FlatPO.Recipes.Adapters.VisualPrompt;

namespace FlatPO.Recipes;

/// <summary>A method that puts trained places beside what enters the layers.</summary>
public abstract class VirtualTokensAttribute : AdapterAttribute
{
    /// <summary>The inputs of the layers; these methods sit nowhere else.</summary>
    [Default(Sites.Inputs)]
    public override Sites Sites { get; set; } = Sites.Inputs;
}

/// <summary>Prompt tuning (Lester et al., 2021): trained vectors that are read before every text.</summary>
[RealizedBy(typeof(PromptTuningMethod))]
[CannotMerge("a prompt is no part of a weight")]
[ForTasks(TaskType.CausalLM, TaskType.SequenceClassification)]
[KeepsForBackward("0")]
[AddsPositions(nameof(VirtualTokens))]
[AdapterTensor("prompt_embeddings", nameof(VirtualTokens), "out")]
public sealed class PromptTuningAttribute : VirtualTokensAttribute
{
    /// <summary>How many vectors (PEFT's <c>num_virtual_tokens</c>).</summary>
    [Bounds("FPO1053", Minimum = 1), Default(20)]
    public int VirtualTokens { get; set; } = 20;

    /// <summary>What they begin as.</summary>
    [Default(PromptInitialization.Random)]
    public PromptInitialization Initialization { get; set; }

    /// <summary>For <see cref="PromptInitialization.Text"/>: the token ids of the text, which is repeated or cut to <see cref="VirtualTokens"/>.</summary>
    [Default(new string[0])]
    public string[] InitialIds { get; set; } = [];
}

/// <summary>What a prompt begins as (PEFT's <c>prompt_tuning_init</c>).</summary>
public enum PromptInitialization
{
    /// <summary>Numbers from N(0, 1).</summary>
    Random,

    /// <summary>The vectors of tokens drawn from the vocabulary.</summary>
    SampleVocabulary,

    /// <summary>The vectors of a text.</summary>
    Text,
}

/// <summary>P-tuning (Liu et al., 2021): a prompt that three layers make of trained vectors. A saved adapter holds the prompt and not the layers, as PEFT's does.</summary>
[RealizedBy(typeof(PTuningMethod))]
[CannotMerge("a prompt is no part of a weight")]
[ForTasks(TaskType.CausalLM, TaskType.SequenceClassification)]
[KeepsForBackward("0")]
[AddsPositions(nameof(VirtualTokens))]
[AdapterTensor("embedding.weight", nameof(VirtualTokens), "out")]
[AdapterTensor("mlp_head.0.weight", nameof(EncoderSize), "out")]
[AdapterTensor("mlp_head.0.bias", nameof(EncoderSize))]
[AdapterTensor("mlp_head.2.weight", nameof(EncoderSize), nameof(EncoderSize))]
[AdapterTensor("mlp_head.2.bias", nameof(EncoderSize))]
[AdapterTensor("mlp_head.4.weight", "out", nameof(EncoderSize))]
[AdapterTensor("mlp_head.4.bias", "out")]
public sealed class PTuningAttribute : VirtualTokensAttribute
{
    /// <inheritdoc cref="PromptTuningAttribute.VirtualTokens"/>
    [Bounds("FPO1053", Minimum = 1), Default(20)]
    public int VirtualTokens { get; set; } = 20;

    /// <summary>Width of the layers between (PEFT's <c>encoder_hidden_size</c>).</summary>
    [Bounds("FPO1054", Minimum = 1), Default(128)]
    public int EncoderSize { get; set; } = 128;
}

/// <summary>Prefix tuning (Li and Liang, 2021): trained keys and values that every layer sees before the text's own.</summary>
[RealizedBy(typeof(PrefixTuningMethod))]
[CannotMerge("a prefix is no part of a weight")]
[ForTasks(TaskType.CausalLM)]
[KeepsForBackward("0")]
[AddsPositions(nameof(VirtualTokens), Kept = "2 * in")]
[AdapterTensor("embedding.weight", nameof(VirtualTokens), "layers * 2 * in", Unless = nameof(PrefixProjection))]
[AdapterTensor("embedding.weight", nameof(VirtualTokens), "in", When = nameof(PrefixProjection))]
[AdapterTensor("transform.0.weight", nameof(EncoderSize), "in", When = nameof(PrefixProjection))]
[AdapterTensor("transform.0.bias", nameof(EncoderSize), When = nameof(PrefixProjection))]
[AdapterTensor("transform.2.weight", "layers * 2 * in", nameof(EncoderSize), When = nameof(PrefixProjection))]
[AdapterTensor("transform.2.bias", "layers * 2 * in", When = nameof(PrefixProjection))]
public sealed class PrefixTuningAttribute : VirtualTokensAttribute
{
    /// <summary>How many keys and values each layer sees (PEFT's <c>num_virtual_tokens</c>).</summary>
    [Bounds("FPO1053", Minimum = 1), Default(20)]
    public int VirtualTokens { get; set; } = 20;

    /// <summary>Two layers make them of fewer trained numbers (PEFT's <c>prefix_projection</c>). A saved adapter holds what they make.</summary>
    [Default(false)]
    public bool PrefixProjection { get; set; }

    /// <summary>Width of the layer between, with <see cref="PrefixProjection"/> (PEFT's <c>encoder_hidden_size</c>).</summary>
    [Bounds("FPO1054", Minimum = 1), Default(128)]
    public int EncoderSize { get; set; } = 128;
}

/// <summary>Visual prompt tuning (Jia et al., 2022): trained vectors beside the patches of every image.</summary>
[RealizedBy(typeof(VisualPromptMethod))]
[CannotMerge("a prompt is no part of a weight")]
[ForTasks(TaskType.ImageClassification, TaskType.ImageTextContrastive)]
[KeepsForBackward("0")]
[AddsPositions(nameof(VirtualTokens))]
[AdapterTensor("visual_prompts", "layers", nameof(VirtualTokens), "out", When = nameof(Deep))]
[AdapterTensor("visual_prompts", "1", nameof(VirtualTokens), "out", Unless = nameof(Deep))]
public sealed class VisualPromptAttribute : VirtualTokensAttribute
{
    /// <summary>How many vectors.</summary>
    [Bounds("FPO1053", Minimum = 1), Default(10)]
    public int VirtualTokens { get; set; } = 10;

    /// <summary>Whether every layer reads new ones, or the first layer's are handed on.</summary>
    [Default(false)]
    public bool Deep { get; set; }
}
