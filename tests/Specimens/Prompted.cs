using FlatPO.Recipes;

namespace Specimens;

/// <summary>Two adapters: LoRA in the layers, a prompt before the text.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Golden/backbones/qwen2")]
[Lora(Rank = 2, Alpha = 4, Sites = Sites.Query | Sites.Down, Layers = "1..")]
[PromptTuning(VirtualTokens = 3)]
[FlatPO(Rho = 0.05, Fraction = 0.1)]
[AdamW(LearningRate = 5e-3)]
[Training(BatchSize = 4, Epochs = 10)]
public partial class Prompted;
