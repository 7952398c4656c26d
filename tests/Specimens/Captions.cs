using FlatPO.Recipes;

namespace Specimens;

/// <summary>The language tower of Qwen 2.5 VL learns to speak of images; what sees is left alone.</summary>
[Recipe(TaskType.ImageTextToText)]
[Backbone("Golden/backbones/qwen2_5_vl")]
[Lora(Rank = 4, Alpha = 8, Sites = Sites.AllLinear, Towers = Towers.Language)]
[FlatPO(Rho = 0.05, Fraction = 0.1)]
[AdamW(LearningRate = 0.005)]
[Training(Epochs = 10, BatchSize = 2, MaxLength = 64, MaxPixels = 25088)]
public partial class Captions;
