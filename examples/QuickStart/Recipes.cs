namespace FlatPO.Recipes.Examples.QuickStart;

// Three recipes that differ in one line: none, [Sam] or [FlatPO]. Press F12 on a recipe's Train to read what was generated.

/// <summary>The base optimizer alone.</summary>
[Recipe(TaskType.ImageClassification)]
[Backbone("model")]
[Lora(Rank = 8, Alpha = 16, Sites = Sites.AllLinear, ModulesToSave = ["classifier"])]
[AdamW(LearningRate = 5e-3)]
[CosineSchedule(WarmupRatio = 0.1)]
[Training(Epochs = 20, BatchSize = 32)]
public partial class ShiftedDigitsAdamW;

/// <summary>Every adapter tensor climbs.</summary>
[Recipe(TaskType.ImageClassification)]
[Backbone("model")]
[Lora(Rank = 8, Alpha = 16, Sites = Sites.AllLinear, ModulesToSave = ["classifier"])]
[Sam(Rho = 0.05)]
[AdamW(LearningRate = 5e-3)]
[CosineSchedule(WarmupRatio = 0.1)]
[Training(Epochs = 20, BatchSize = 32)]
public partial class ShiftedDigitsSam;

/// <summary>The sharpest 5 % of the adapter tensors climb.</summary>
[Recipe(TaskType.ImageClassification)]
[Backbone("model")]
[Lora(Rank = 8, Alpha = 16, Sites = Sites.AllLinear, ModulesToSave = ["classifier"])]
[FlatPO(Rho = 0.05, Fraction = 0.05)]
[AdamW(LearningRate = 5e-3)]
[CosineSchedule(WarmupRatio = 0.1)]
[Training(Epochs = 20, BatchSize = 32)]
public partial class ShiftedDigitsFlatPO;
