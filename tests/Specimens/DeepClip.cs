using FlatPO.Recipes;

namespace Specimens;

/// <summary>New vectors for every layer of the tower that sees; of the one that reads the biases are trained.</summary>
[Recipe(TaskType.ImageTextContrastive)]
[Backbone("Golden/backbones/clip")]
[VisualPrompt(VirtualTokens = 3, Deep = true, Towers = Towers.Vision)]
[BitFit(Towers = Towers.Language)]
[FlatPO(Fraction = 0.1)]
[AdamW(LearningRate = 0.05)]
[Training(Epochs = 10, BatchSize = 4)]
public partial class DeepClip;
