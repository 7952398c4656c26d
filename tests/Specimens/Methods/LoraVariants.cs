using FlatPO.Recipes;

namespace Specimens.Methods;

/// <summary>rsLoRA at every linear layer; the climb is ρ long.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Golden/backbones/qwen3")]
[Lora(Rank = 4, Alpha = 4, UseRslora = true, Sites = Sites.AllLinear)]
[FlatPO(Fraction = 0.1, Normalization = Normalization.Selected)]
[AdamW(LearningRate = 5e-3)]
[Training(Epochs = 10, BatchSize = 4)]
public partial class StableQwen;

/// <summary>PiSSA: the factors begin as the strongest part of the weight; of them the values' alone are perturbed.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Golden/backbones/mistral")]
[Lora(Rank = 4, Initialization = LoraInitialization.Pissa, Sites = Sites.Attention)]
[FlatPO(Fraction = 0.4, Scope = Sites.Value | Sites.Output)]
[Sgd(LearningRate = 0.1, Momentum = 0.9)]
[Training(Epochs = 10, BatchSize = 4)]
public partial class PissaMistral;

/// <summary>OLoRA with a head tied to the embedding and keys of one head.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Golden/backbones/llama3")]
[Lora(Rank = 4, Initialization = LoraInitialization.Olora, Sites = Sites.Query | Sites.Gate)]
[FlatPO(Rho = 0.5, Fraction = 0.2, Adaptive = true)]
[AdamW(LearningRate = 2e-3)]
[Training(Epochs = 10, BatchSize = 4)]
public partial class OloraLlama;

/// <summary>LoRA+ beside a classifier trained whole.</summary>
[Recipe(TaskType.SequenceClassification)]
[Backbone("Golden/backbones/bert")]
[Lora(Rank = 4, LearningRateRatio = 8, ModulesToSave = ["classifier"])]
[FlatPO(Fraction = 0.2)]
[Sgd(LearningRate = 0.05, Momentum = 0.9, WeightDecay = 0.01)]
[Training(Epochs = 10, BatchSize = 4)]
public partial class PlusBert;

/// <summary>LoRA at a table of vectors that the head computes with too.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Golden/backbones/llama3")]
#pragma warning disable FPO1014 // an adapter to keep, not to merge
[Lora(Rank = 4, Sites = Sites.Embedding | Sites.Up)]
#pragma warning restore FPO1014
[FlatPO(Fraction = 0.3)]
[AdamW(LearningRate = 5e-3)]
[Training(Epochs = 10, BatchSize = 4)]
public partial class EmbeddedLlama;
