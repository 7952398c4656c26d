using FlatPO.Recipes;

namespace Specimens;

/// <summary>IA3 at its own default sites: a vector of the output at key and value, of the input at down.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Golden/backbones/llama")]
[Ia3]
[FlatPO(Fraction = 0.2)]
[AdamW(LearningRate = 1e-2)]
[Training(BatchSize = 4, Epochs = 2)]
public partial class VectorLlama;
