using FlatPO.Recipes;

namespace Specimens.Methods;

/// <summary>As many virtual tokens as tokens.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Specimens/measured")]
[PromptTuning(VirtualTokens = 128)]
[Sam]
[AdamW]
[Training(BatchSize = 4, MaxLength = 128)]
public partial class MeasuredPrompt;

/// <summary>A long prefix before short texts.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Specimens/measured")]
[PrefixTuning(VirtualTokens = 256)]
[Sam]
[AdamW]
[Training(BatchSize = 8, MaxLength = 64)]
public partial class MeasuredPrefix;

/// <summary>Vectors at the outputs of two layers and at the wide input of a third.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Specimens/measured")]
[Ia3]
[Sam]
[AdamW]
[Training(BatchSize = 4, MaxLength = 256)]
public partial class MeasuredVectors;

/// <summary>Two vectors a site, a wide bottleneck between.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Specimens/measured")]
[Vera(Rank = 512, Sites = Sites.AllLinear)]
[Sam]
[AdamW]
[Training(BatchSize = 4, MaxLength = 256)]
public partial class MeasuredVera;

/// <summary>Blocks behind both halves of a layer.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Specimens/measured")]
[Bottleneck(Size = 128)]
[Sam]
[AdamW]
[Training(BatchSize = 4, MaxLength = 256)]
public partial class MeasuredBottleneck;

/// <summary>The norms' own weights.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Specimens/measured")]
[LnTuning]
[Sam]
[AdamW]
[Training(BatchSize = 4, MaxLength = 256)]
public partial class MeasuredNorms;

/// <summary>DoRA: the frozen output and the branch are kept apart.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Specimens/measured")]
[Lora(UseDora = true, Sites = Sites.AllLinear)]
[Sam]
[AdamW]
[Training(BatchSize = 4, MaxLength = 256)]
public partial class MeasuredDora;

/// <summary>The head alone: nothing below it is differentiated.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Specimens/measured")]
[LinearProbe]
[Sam]
[AdamW]
[Training(BatchSize = 4, MaxLength = 256)]
public partial class MeasuredProbe;

/// <summary>Every linear layer of a backbone in 4 bits.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Specimens/measured")]
[Lora(Rank = 8, Alpha = 16, Sites = Sites.AllLinear)]
[FlatPO(Rho = 0.05, Fraction = 0.05)]
[AdamW(LearningRate = 1e-4)]
[Training(BatchSize = 4, MaxLength = 256, Precision = Precision.NF4)]
public partial class MeasuredQuantized;

/// <summary>Layers that keep their inputs alone.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Specimens/measured")]
[Lora(Sites = Sites.AllLinear)]
[Sam]
[AdamW]
[Training(BatchSize = 12, MaxLength = 256, Checkpointing = true)]
public partial class MeasuredRecomputation;

/// <summary>Low-rank updates in attention alone: the feed-forward block is one frozen operation.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Specimens/measured")]
[Lora(Sites = Sites.Query | Sites.Value)]
[Sam]
[AdamW]
[Training(BatchSize = 4, MaxLength = 256)]
public partial class MeasuredAttention;

/// <summary>Updates that each drop numbers of an input of their own.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Specimens/measured")]
[Lora(Sites = Sites.Query | Sites.Value, Dropout = 0.1)]
[Sam]
[AdamW]
[Training(BatchSize = 4, MaxLength = 256)]
public partial class MeasuredDropout;
