using FlatPO.Recipes;

namespace Specimens;

/// <summary>Every linear layer's bias is trained, also where no adapter sits: in the other layers and at the other modules, but for the one that is trained whole.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Golden/backbones/opt")]
[Lora(Rank = 2, Sites = Sites.Query | Sites.Down, Layers = "1..2", ModulesToSave = ["fc1"], Bias = LoraBiasTraining.All)]
[FlatPO(Fraction = 0.2)]
[Sgd(LearningRate = 0.05)]
public partial class BiasedOpt;
