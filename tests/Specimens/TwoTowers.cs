using FlatPO.Recipes;

namespace Specimens;

/// <summary>Both towers of CLIP learn which text belongs to which image.</summary>
[Recipe(TaskType.ImageTextContrastive)]
[Backbone("Golden/backbones/clip")]
[Lora(Rank = 2, Alpha = 4, Sites = Sites.Query | Sites.Value | Sites.Projection, Towers = Towers.All)]
[FlatPO(Rho = 0.05, Fraction = 0.25)]
[AdamW(LearningRate = 0.01)]
[Training(Epochs = 10, BatchSize = 4)]
public partial class TwoTowers;
