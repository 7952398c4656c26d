using FlatPO.Recipes;

namespace Specimens;

/// <summary>LoRA at the table of token vectors beside linear layers.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Golden/backbones/mistral")]
[Lora(Rank = 4, Sites = Sites.Query | Sites.Embedding | Sites.Head)]
[FlatPO(Fraction = 0.2)]
[AdamW(LearningRate = 1e-3)]
public partial class EmbeddedMistral;
