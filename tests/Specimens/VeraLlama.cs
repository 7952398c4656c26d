using FlatPO.Recipes;

namespace Specimens;

/// <summary>VeRA at layers of unlike sizes, which share one pair of frozen projections; the adapter file names their key in their place.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Golden/backbones/llama")]
[Vera(Rank = 8, ProjectionPrngKey = 5, SaveProjection = false, Sites = Sites.Query | Sites.Value | Sites.Down)]
[FlatPO(Fraction = 0.2)]
[AdamW(LearningRate = 2e-2)]
[Training(BatchSize = 4, Epochs = 5)]
public partial class VeraLlama;
