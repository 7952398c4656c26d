using FlatPO.Recipes;

namespace Specimens;

/// <summary>The reference setting: LoRA at query and value, FlatPO, AdamW.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Golden/backbones/opt")]
[Lora(Rank = 4, Alpha = 8)]
[FlatPO(Rho = 0.05, Fraction = 0.05)]
[AdamW(LearningRate = 0.002)]
[ConstantSchedule]
[Training(Epochs = 5, BatchSize = 4)]
public partial class TinyOpt;
