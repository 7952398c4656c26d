using FlatPO.Recipes;

namespace Specimens;

/// <summary>The settings of the golden trace flatpo_adamw: twenty windows of four rows beside the authors' optimizer.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Golden/backbones/opt")]
[Lora(Rank = 4, Alpha = 8, Sites = Sites.AllLinear)]
[FlatPO(Rho = 0.05, Fraction = 0.05)]
[AdamW(LearningRate = 0.002, WeightDecay = 0.01)]
[Training(BatchSize = 4)]
public partial class TraceOpt;
