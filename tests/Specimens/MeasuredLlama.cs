using FlatPO.Recipes;

namespace Specimens;

/// <summary>Large enough for its memory to be measured.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Specimens/measured")]
[Lora(Rank = 8, Alpha = 16, Sites = Sites.AllLinear)]
[FlatPO(Rho = 0.05, Fraction = 0.05)]
[AdamW(LearningRate = 1e-4)]
[Training(BatchSize = 4, MaxLength = 256)]
public partial class MeasuredLlama;
