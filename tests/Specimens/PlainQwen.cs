using FlatPO.Recipes;

namespace Specimens;

/// <summary>No sharpness policy: the base optimizer alone.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Golden/backbones/qwen2")]
[Lora]
[Sgd(LearningRate = 0.05)]
public partial class PlainQwen;
