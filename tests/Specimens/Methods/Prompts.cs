using FlatPO.Recipes;

namespace Specimens.Methods;

/// <summary>A prompt that begins as tokens of the vocabulary, on a backbone with a table of positions, and its norms. A prompt alone is one tensor, which FlatPO has nothing to choose from.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Golden/backbones/opt")]
[PromptTuning(VirtualTokens = 5, Initialization = PromptInitialization.SampleVocabulary)]
[LnTuning]
[FlatPO(Fraction = 0.2)]
[AdamW(LearningRate = 0.02)]
[Training(Epochs = 10, BatchSize = 4)]
public partial class PromptedOpt;

/// <summary>A prompt before texts that are classified, and the head.</summary>
[Recipe(TaskType.SequenceClassification)]
[Backbone("Golden/backbones/bert")]
[PromptTuning(VirtualTokens = 4)]
[LinearProbe]
[FlatPO(Fraction = 0.4)]
[AdamW(LearningRate = 0.01)]
[Training(Epochs = 10, BatchSize = 4)]
public partial class PromptedBert;

/// <summary>P-tuning: seven tensors of one place.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Golden/backbones/llama")]
[PTuning(VirtualTokens = 4, EncoderSize = 16)]
[FlatPO(Fraction = 0.3)]
[AdamW(LearningRate = 5e-3)]
[Training(Epochs = 10, BatchSize = 4)]
public partial class EncodedLlama;

/// <summary>A prefix for grouped queries and a sliding window, beside IA3.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Golden/backbones/mistral")]
[PrefixTuning(VirtualTokens = 3)]
[Ia3]
[FlatPO(Fraction = 0.3)]
[AdamW(LearningRate = 0.05)]
[Training(Epochs = 10, BatchSize = 4)]
public partial class PrefixedMistral;

/// <summary>A prefix made by two layers; the tensors above the median are perturbed.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Golden/backbones/opt")]
[PrefixTuning(VirtualTokens = 4, PrefixProjection = true, EncoderSize = 12)]
[FlatPO(Fraction = 0.5, Selection = SelectionRule.Quantile)]
[AdamW(LearningRate = 0.01)]
[Training(Epochs = 10, BatchSize = 4)]
public partial class ProjectedOpt;

/// <summary>The same for grouped queries.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Golden/backbones/qwen2")]
[PrefixTuning(VirtualTokens = 4, PrefixProjection = true, EncoderSize = 12)]
[FlatPO(Fraction = 0.2)]
[AdamW(LearningRate = 0.01)]
[Training(Epochs = 10, BatchSize = 4)]
public partial class ProjectedQwen;
