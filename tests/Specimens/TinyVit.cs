using FlatPO.Recipes;

namespace Specimens;

/// <summary>Images: adapters in the last two layers, a new classifier trained whole, SAM over everything.</summary>
[Recipe(TaskType.ImageClassification)]
[Backbone("Golden/backbones/vit")]
[Lora(Rank = 2, TargetModules = ["query", "value", "fc1"], Layers = "^2..", ModulesToSave = ["classifier"])]
[Sam(Rho = 0.1)]
[Sgd(LearningRate = 0.1, Momentum = 0.9)]
[CosineSchedule(WarmupRatio = 0.1)]
[Training(Epochs = 2, BatchSize = 16, MaxGradientNorm = 1)]
internal sealed partial class TinyVit;
