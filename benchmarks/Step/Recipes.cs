using FlatPO.Recipes;

namespace Step;

[Recipe(TaskType.CausalLM)]
[Backbone("Qwen/Qwen2.5-1.5B")]
[Lora(Rank = 8, Alpha = 16, Sites = Sites.AllLinear)]
[AdamW(LearningRate = 1e-4)]
[Training(Precision = Precision.BFloat16)]
public partial class QwenAdamW;

[Recipe(TaskType.CausalLM)]
[Backbone("Qwen/Qwen2.5-1.5B")]
[Lora(Rank = 8, Alpha = 16, Sites = Sites.AllLinear)]
[Sam(Rho = 0.05)]
[AdamW(LearningRate = 1e-4)]
[Training(Precision = Precision.BFloat16)]
public partial class QwenSam;

[Recipe(TaskType.CausalLM)]
[Backbone("Qwen/Qwen2.5-1.5B")]
[Lora(Rank = 8, Alpha = 16, Sites = Sites.AllLinear)]
[FlatPO(Rho = 0.05, Fraction = 0.05)]
[AdamW(LearningRate = 1e-4)]
[Training(Precision = Precision.BFloat16)]
public partial class QwenFlatPO;

[Recipe(TaskType.CausalLM)]
[Backbone("facebook/opt-1.3b")]
[Lora(Rank = 8, Alpha = 16, Sites = Sites.Query | Sites.Value)]
[AdamW(LearningRate = 1e-4)]
[Training(Precision = Precision.BFloat16)]
public partial class OptAdamW;

[Recipe(TaskType.CausalLM)]
[Backbone("facebook/opt-1.3b")]
[Lora(Rank = 8, Alpha = 16, Sites = Sites.Query | Sites.Value)]
[Sam(Rho = 0.05)]
[AdamW(LearningRate = 1e-4)]
[Training(Precision = Precision.BFloat16)]
public partial class OptSam;

[Recipe(TaskType.CausalLM)]
[Backbone("facebook/opt-1.3b")]
[Lora(Rank = 8, Alpha = 16, Sites = Sites.Query | Sites.Value)]
[FlatPO(Rho = 0.05, Fraction = 0.05)]
[AdamW(LearningRate = 1e-4)]
[Training(Precision = Precision.BFloat16)]
public partial class OptFlatPO;

[Recipe(TaskType.ImageTextToText)]
[Backbone("Qwen/Qwen2.5-VL-3B-Instruct")]
[Lora(Rank = 8, Alpha = 16, Sites = Sites.AllLinear, Towers = Towers.Language)]
[AdamW(LearningRate = 1e-4)]
[Training(MaxPixels = 200_704, Precision = Precision.BFloat16)]
public partial class QwenVlAdamW;

[Recipe(TaskType.ImageTextToText)]
[Backbone("Qwen/Qwen2.5-VL-3B-Instruct")]
[Lora(Rank = 8, Alpha = 16, Sites = Sites.AllLinear, Towers = Towers.Language)]
[Sam(Rho = 0.05)]
[AdamW(LearningRate = 1e-4)]
[Training(MaxPixels = 200_704, Precision = Precision.BFloat16)]
public partial class QwenVlSam;

[Recipe(TaskType.ImageTextToText)]
[Backbone("Qwen/Qwen2.5-VL-3B-Instruct")]
[Lora(Rank = 8, Alpha = 16, Sites = Sites.AllLinear, Towers = Towers.Language)]
[FlatPO(Rho = 0.05, Fraction = 0.05)]
[AdamW(LearningRate = 1e-4)]
[Training(MaxPixels = 200_704, Precision = Precision.BFloat16)]
public partial class QwenVlFlatPO;
