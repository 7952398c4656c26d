using FlatPO.Recipes;

namespace Memory;

[Recipe(TaskType.CausalLM)]
[Backbone("Qwen/Qwen2.5-1.5B")]
[Lora(Rank = 8, Alpha = 16, Sites = Sites.AllLinear)]
[FlatPO(Rho = 0.05, Fraction = 0.05)]
[AdamW(LearningRate = 1e-4)]
[Training(BatchSize = 8, MaxLength = 512, Precision = Precision.BFloat16)]
public partial class Qwen;

[Recipe(TaskType.CausalLM)]
[Backbone("Qwen/Qwen2.5-0.5B")]
[Lora(Rank = 16, Alpha = 16, Layers = "12..")]
[AdamW(LearningRate = 1e-4)]
[Training(BatchSize = 4, MaxLength = 512)]
public partial class UpperQwen;

[Recipe(TaskType.CausalLM)]
[Backbone("facebook/opt-1.3b")]
[Lora(Rank = 8, Alpha = 16)]
[FlatPO(Rho = 0.05, Fraction = 0.05)]
[AdamW(LearningRate = 1e-4)]
[Training(BatchSize = 16, MaxLength = 256, Precision = Precision.BFloat16)]
public partial class Opt;

[Recipe(TaskType.SequenceClassification)]
[Backbone("FacebookAI/roberta-large")]
[Lora(Rank = 8, Alpha = 16, ModulesToSave = ["classifier"])]
[FlatPO(Rho = 0.05, Fraction = 0.05)]
[AdamW(LearningRate = 1e-4)]
[Training(BatchSize = 16, MaxLength = 256)]
public partial class Roberta;

[Recipe(TaskType.ImageClassification)]
[Backbone("google/vit-large-patch16-224")]
[Lora(Rank = 8, Alpha = 16, Sites = Sites.AllLinear)]
[FlatPO(Rho = 0.05, Fraction = 0.05)]
[AdamW(LearningRate = 1e-4)]
[Training(BatchSize = 32)]
public partial class Vit;

[Recipe(TaskType.ImageTextContrastive)]
[Backbone("openai/clip-vit-large-patch14")]
[Lora(Rank = 8, Alpha = 16, Sites = Sites.Attention, Towers = Towers.All)]
[FlatPO(Rho = 0.05, Fraction = 0.05)]
[AdamW(LearningRate = 1e-4)]
[Training(BatchSize = 32, MaxLength = 77)]
public partial class Clip;

[Recipe(TaskType.ImageTextToText)]
[Backbone("Qwen/Qwen2.5-VL-3B-Instruct")]
[Lora(Rank = 8, Alpha = 16, Sites = Sites.AllLinear, Towers = Towers.All)]
[FlatPO(Rho = 0.05, Fraction = 0.05)]
[AdamW(LearningRate = 1e-4)]
[Training(BatchSize = 2, MaxLength = 512, MaxPixels = 200_704, Precision = Precision.BFloat16)]
public partial class QwenVl;

[Recipe(TaskType.CausalLM)]
[Backbone("meta-llama/Llama-2-7b-hf")]
[Lora(Rank = 8, Alpha = 16, Sites = Sites.AllLinear)]
[FlatPO(Rho = 0.05, Fraction = 0.05)]
[AdamW(LearningRate = 1e-4)]
[Training(BatchSize = 1, MaxLength = 512, Precision = Precision.NF4)]
public partial class Llama;
