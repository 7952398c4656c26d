using FlatPO.Recipes;

namespace Specimens;

/// <summary>Bottlenecks behind attention and feed-forward block, which nothing can merge.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Golden/backbones/opt")]
[Bottleneck(Size = 4, Activation = BottleneckActivation.Gelu, Scale = 2)]
[FlatPO(Fraction = 0.1)]
[AdamW(LearningRate = 1e-2)]
[Training(BatchSize = 4, Epochs = 5)]
public partial class NarrowOpt;
