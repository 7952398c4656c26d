using FlatPO.Recipes;

namespace Specimens.Methods;

/// <summary>Layer-norm tuning of what reads and writes; what sees is left alone.</summary>
[Recipe(TaskType.ImageTextToText)]
[Backbone("Golden/backbones/qwen2_5_vl")]
[LnTuning(Towers = Towers.Language)]
[FlatPO(Fraction = 0.3)]
[AdamW(LearningRate = 0.02)]
[Training(Epochs = 10, BatchSize = 4)]
public partial class NormedCaptions;

/// <summary>BitFit: every bias there is, those of the norms too.</summary>
[Recipe(TaskType.SequenceClassification)]
[Backbone("Golden/backbones/roberta")]
[BitFit]
[FlatPO]
[AdamW(LearningRate = 0.01)]
[Training(Epochs = 10, BatchSize = 4)]
public partial class BiasedRoberta;

/// <summary>Linear probing: a classifier on features that stay.</summary>
[Recipe(TaskType.ImageClassification)]
[Backbone("Golden/backbones/vit")]
[LinearProbe]
[FlatPO(Fraction = 0.5)]
[Sgd(LearningRate = 0.05)]
[Training(Epochs = 10, BatchSize = 4)]
public partial class ProbedVit;
