using FlatPO.Recipes;

namespace Specimens;

/// <summary>A well-known model by id: the compiler takes its sizes from the catalogue.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Qwen/Qwen2.5-1.5B")]
[Lora(Rank = 8, Alpha = 16, Sites = Sites.AllLinear)]
[FlatPO(Rho = 0.05, Fraction = 0.1, Selection = SelectionRule.Quantile)]
[AdamW(LearningRate = 1e-4)]
[CosineSchedule(WarmupRatio = 0.1)]
[Training(Epochs = 3, BatchSize = 8, MaxLength = 512, Precision = Precision.BFloat16)]
public partial class SupportAnswers;
