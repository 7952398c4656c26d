using FlatPO.Recipes;

namespace Specimens;

/// <summary>RoBERTa classifies texts; its classifier is trained whole.</summary>
[Recipe(TaskType.SequenceClassification)]
[Backbone("Golden/backbones/roberta")]
[Lora(Rank = 4, Alpha = 8, Sites = Sites.Attention, ModulesToSave = ["classifier"])]
[FlatPO(Rho = 0.05)]
[AdamW(LearningRate = 0.01)]
[Training(Epochs = 10, BatchSize = 4, MaxLength = 16)]
public partial class Verdicts;
