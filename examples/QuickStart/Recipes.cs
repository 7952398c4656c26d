namespace FlatPO.Recipes.Examples.QuickStart;

// Three recipes that differ in one line: none, [Sam] or [FlatPO]. Press F12 on a recipe's Train to read what was generated.
//
// How the settings were chosen: on the digits among training images 4,000 to 4,999 that a run does not adapt to, with seeds 10 to 12 and 20 to 22, never
// on the test digits. Learning rate: 5e-3 fits the examples in 20 epochs, 2e-3 does not. ρ: of 0.05, 0.1, 0.2 and 0.5 none beat another by more than
// the spread over seeds, neither for SAM nor for FlatPO; so both take the middle of the range the FlatPO paper uses.

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
