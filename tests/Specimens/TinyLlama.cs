using FlatPO.Recipes;

namespace Specimens;

/// <summary>Every linear layer and the head; the ablation that draws its tensors at random among the values, with ASAM's metric.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Golden/backbones/llama")]
[Lora(Rank = 4, Dropout = 0.1, Sites = Sites.AllLinear | Sites.Head)]
[FlatPO(Rho = 0.5, Fraction = 0.25, Selection = SelectionRule.Random, Scope = Sites.Value | Sites.Down, Adaptive = true, Normalization = Normalization.Selected)]
[AdamW(LearningRate = 1e-4, WeightDecay = 0)]
[LinearSchedule(WarmupRatio = 0.05)]
[Training(BatchSize = 2, GradientAccumulation = 4, MaxLength = 64, Seed = 7)]
public partial class TinyLlama;
