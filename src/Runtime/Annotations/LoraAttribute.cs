using FlatPO.Recipes.Adapters.Lora;

namespace FlatPO.Recipes;

/// <summary>LoRA (Hu et al., 2021): W x + (α / r) · B A x with A [rank, in] random and B [out, rank] zero at the start; DoRA and rsLoRA are properties of it, as in PEFT.</summary>
[RealizedBy(typeof(LoraMethod))]
[KeepsForBackward("in + (Dropout != 0) * in / 4 + Rank + UseDora * 2 * out", // dropout's mask is a byte a number
    IsLowRank = "Dropout + UseDora + LoraBias + Bias + (Initialization == 2) + (Initialization == 3) == 0", CopiesInput = "Dropout != 0")] // 2 and 3 are PiSSA and OLoRA
[AdapterTensor("lora_A.weight", "Rank", "in", Only = ~Sites.Embedding)]
[AdapterTensor("lora_B.weight", "out", "Rank", Only = ~Sites.Embedding)]
[AdapterTensor("lora_B.bias", "out", When = nameof(LoraBias))]
[AdapterTensor("lora_magnitude_vector", "out", When = nameof(UseDora))]
[AdapterTensor("base_layer.bias", "out", When = nameof(Bias), IsBias = true)]
[AdapterTensor("bias", "out", When = nameof(Bias), Is = LoraBiasTraining.All, IsBias = true, Elsewhere = true)]
[AdapterTensor("lora_embedding_A", "Rank", "in", Only = Sites.Embedding)]
[AdapterTensor("lora_embedding_B", "out", "Rank", Only = Sites.Embedding)]
[UsualRatio("FPO1015", nameof(Alpha), nameof(Rank), Root = nameof(UseRslora), AtLeast = 0.25, AtMost = 8)]
[Conflict("FPO1016", nameof(UseDora), nameof(LoraBias), "DoRA has no bias of B (peft refuses it too)")]
[Conflict("FPO1016", nameof(Initialization), nameof(LoraBias), "peft allows a bias of B with its standard initialization alone")]
[ConflictAt("FPO1016", nameof(UseDora), Sites.Embedding, "the rows of a table of vectors have no lengths of their own here; name linear layers alone")]
[ConflictAt("FPO1016", nameof(LoraBias), Sites.Embedding, "an embedding's B has no bias (peft refuses it too)")]
[WantsBias("FPO1017", nameof(LoraBias))]
public sealed class LoraAttribute : AdapterAttribute
{
    /// <summary>r, the rank of the update (PEFT's <c>r</c>).</summary>
    [Bounds("FPO1005", Minimum = 1, Maximum = "min(in, out)"), Default(8)]
    public int Rank { get; set; } = 8;

    /// <summary>α; the update is scaled by α / r (PEFT's <c>lora_alpha</c>).</summary>
    [Bounds("FPO1006", Above = 0), Default(8.0)]
    public double Alpha { get; set; } = 8;

    /// <summary>
    /// Other ranks at single modules, as <c>name=number</c>: <c>"up_proj=2"</c>, <c>"layers.0.self_attn.q_proj=16"</c> (PEFT's <c>rank_pattern</c>). A name is the end of a
    /// module path or a regular expression for one; of the entries that mean a module the first counts.
    /// </summary>
    [PatternOf(nameof(Rank)), Default(new string[0])]
    public string[] RankPattern { get; set; } = [];

    /// <summary>Other α at single modules, put as in <see cref="RankPattern"/> (PEFT's <c>alpha_pattern</c>).</summary>
    [PatternOf(nameof(Alpha)), Default(new string[0])]
    public string[] AlphaPattern { get; set; } = [];

    /// <summary>Probability of dropping an input element of the adapter branch while training.</summary>
    [Bounds("FPO1007", Minimum = 0, Below = 1), Default(0.0)]
    public double Dropout { get; set; }

    /// <summary>rsLoRA (arXiv 2312.03732): the update is scaled by α / √r, which keeps its size as the rank grows (PEFT's <c>use_rslora</c>).</summary>
    [Default(false)]
    public bool UseRslora { get; set; }

    /// <summary>
    /// DoRA (arXiv 2402.09353): the length of each row of the adapted weight is trained apart from its direction, one more tensor [out] a site
    /// (PEFT's <c>use_dora</c>). Costs a [out, in] temporary a site and pass.
    /// </summary>
    [Default(false)]
    public bool UseDora { get; set; }

    /// <summary>Trains a bias of B, [out], beside the factors (PEFT's <c>lora_bias</c>). It can be merged only where the adapted layer has a bias.</summary>
    [Default(false)]
    public bool LoraBias { get; set; }

    /// <summary>Which of the backbone's own biases are trained beside the factors, from the checkpoint's numbers (PEFT's <c>bias</c>).</summary>
    [Default(LoraBiasTraining.None)]
    public LoraBiasTraining Bias { get; set; }

    /// <summary>
    /// LoRA+ (arXiv 2402.12354): λ, by which the learning rate of B is larger than the recipe's; of whatever else is one-dimensional too (peft's <c>loraplus_lr_ratio</c>).
    /// </summary>
    [Bounds("FPO1030", Minimum = 1), Default(1.0)]
    public double LearningRateRatio { get; set; } = 1;

    /// <summary>How the factors begin (PEFT's <c>init_lora_weights</c>); the adapted model begins as the base in any case.</summary>
    [Default(LoraInitialization.KaimingUniform)]
    public LoraInitialization Initialization { get; set; }
}

/// <summary>How LoRA's A [rank, in] and B [out, rank] begin. Where B is not zero, the product it begins with is left out of the weight.</summary>
public enum LoraInitialization
{
    /// <summary>A uniform in ±1 / √in, B zero (PEFT's <c>true</c>).</summary>
    KaimingUniform,

    /// <summary>A normal with standard deviation 1 / r, B zero (PEFT's <c>"gaussian"</c>).</summary>
    Gaussian,

    /// <summary>
    /// PiSSA (arXiv 2404.02948): the part of the weight with the r largest singular values (PEFT's <c>"pissa"</c>); takes a singular value decomposition of every adapted weight.
    /// Saved as a plain LoRA of rank 2 r on the unchanged base, as PEFT converts it.
    /// </summary>
    Pissa,

    /// <summary>OLoRA (arXiv 2406.01775): the first r columns and rows of the weight's QR decomposition (PEFT's <c>"olora"</c>). Saved as <see cref="Pissa"/> is.</summary>
    Olora,
}

/// <summary>The biases of the backbone that are trained beside LoRA's factors.</summary>
public enum LoraBiasTraining
{
    /// <summary>None of them (PEFT's <c>"none"</c>).</summary>
    None,

    /// <summary>Those of the adapted layers that have one (PEFT's <c>"lora_only"</c>).</summary>
    LoraOnly,

    /// <summary>Those of all linear layers and norms that have one (PEFT's <c>"all"</c>).</summary>
    All,
}
