using FlatPO.Recipes;

namespace Specimens;

/// <summary>DoRA with rsLoRA's scale: a tensor more a site.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Golden/backbones/llama")]
[Lora(Rank = 4, Alpha = 4, UseRslora = true, UseDora = true, Sites = Sites.Query | Sites.Value | Sites.Down)]
[FlatPO(Fraction = 0.2)]
[AdamW(LearningRate = 1e-3)]
[Training(BatchSize = 4, Epochs = 2)]
public partial class DoraLlama;
