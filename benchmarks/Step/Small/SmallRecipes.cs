using FlatPO.Recipes;

namespace Step.Small;

[Recipe(TaskType.CausalLM)]
[Backbone("Small/qwen2")]
[Lora(Rank = HandModel.Rank, Alpha = HandModel.Alpha, Sites = Sites.AllLinear)]
[FlatPO(Rho = HandFlatPO.Rho, Fraction = HandFlatPO.Fraction)]
[AdamW(LearningRate = HandFlatPO.LearningRate)]
public partial class SmallQwen;

[Recipe(TaskType.CausalLM)]
[Backbone("Small/opt")]
[Lora(Rank = HandModel.Rank, Alpha = HandModel.Alpha, Sites = Sites.Query | Sites.Value)]
[FlatPO(Rho = HandFlatPO.Rho, Fraction = HandFlatPO.Fraction)]
[AdamW(LearningRate = HandFlatPO.LearningRate)]
public partial class SmallOpt;
