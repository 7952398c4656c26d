using FlatPO.Recipes;

namespace Specimens.Methods;

/// <summary>Vectors beside the patches, handed on from layer to layer, and the head.</summary>
[Recipe(TaskType.ImageClassification)]
[Backbone("Golden/backbones/vit")]
[VisualPrompt(VirtualTokens = 4)]
[LinearProbe]
[FlatPO(Fraction = 0.5)]
[AdamW(LearningRate = 0.01)]
[Training(Epochs = 10, BatchSize = 4)]
public partial class ShallowVit;

/// <summary>New vectors for every layer, and the norms.</summary>
[Recipe(TaskType.ImageClassification)]
[Backbone("Golden/backbones/vit")]
[VisualPrompt(VirtualTokens = 4, Deep = true)]
[LnTuning]
[FlatPO(Fraction = 0.2)]
[AdamW(LearningRate = 0.05)]
[Training(Epochs = 10, BatchSize = 4)]
public partial class DeepVit;

/// <summary>What sees of two towers gets vectors, what reads LoRA.</summary>
[Recipe(TaskType.ImageTextContrastive)]
[Backbone("Golden/backbones/clip")]
[VisualPrompt(VirtualTokens = 3, Towers = Towers.Vision)]
[Lora(Rank = 2, Sites = Sites.Value, Towers = Towers.Language)]
[FlatPO(Fraction = 0.3)]
[AdamW(LearningRate = 0.01)]
[Training(Epochs = 10, BatchSize = 4)]
public partial class ShallowClip;
