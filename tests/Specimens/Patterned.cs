using FlatPO.Recipes;

namespace Specimens;

/// <summary>Other ranks and scales at single modules, one of them in a single layer; of two entries that mean a module the first counts.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Golden/backbones/qwen3")]
[Lora(
    Rank = 4,
    Alpha = 8,
    Sites = Sites.Query | Sites.Up | Sites.Head,
    RankPattern = ["layers.1.mlp.up_proj=6", "up_proj=2", "lm_head=3"],
    AlphaPattern = ["up_proj=6"])]
[AdamW(LearningRate = 1e-3)]
public partial class Patterned;
