using FlatPO.Recipes;

namespace Specimens.Methods;

/// <summary>A bottleneck behind the feed-forward block alone.</summary>
[Recipe(TaskType.SequenceClassification)]
[Backbone("Golden/backbones/roberta")]
[Bottleneck(Size = 6, Activation = BottleneckActivation.Silu, Sites = Sites.Down)]
[FlatPO(Fraction = 0.2)]
[AdamW(LearningRate = 0.01)]
[Training(Epochs = 10, BatchSize = 4)]
public partial class NarrowRoberta;
