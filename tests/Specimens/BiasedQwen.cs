using FlatPO.Recipes;

namespace Specimens;

/// <summary>The backbone's own biases are trained at the adapted layers that have one: the output projection has none.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Golden/backbones/qwen2")]
[Lora(Rank = 2, Sites = Sites.Query | Sites.Output, Layers = "1..3", Bias = LoraBiasTraining.LoraOnly, LearningRateRatio = 4)]
[FlatPO(Fraction = 0.2)]
[AdamW(LearningRate = 1e-3)]
public partial class BiasedQwen;
