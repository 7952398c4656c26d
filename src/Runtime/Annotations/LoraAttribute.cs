using FlatPO.Recipes.Adapters.Lora;

namespace FlatPO.Recipes;

/// <summary>LoRA (Hu et al., 2021): W x + (α / r) · B A x with A [rank, in] Kaiming-uniform and B [out, rank] zero at the start.</summary>
[RealizedBy(typeof(LoraMethod))]
[KeepsForBackward("in + Rank")]
[AdapterTensor("lora_A.weight", "Rank", "in")]
[AdapterTensor("lora_B.weight", "out", "Rank")]
public sealed class LoraAttribute : AdapterAttribute
{
    /// <summary>r, the rank of the update (PEFT's <c>r</c>).</summary>
    [Bounds("FPO1005", Minimum = 1, Maximum = "min(in, out)"), Default(8)]
    public int Rank { get; set; } = 8;

    /// <summary>α; the update is scaled by α / r (PEFT's <c>lora_alpha</c>).</summary>
    [Bounds("FPO1006", Above = 0), Default(8.0)]
    public double Alpha { get; set; } = 8;

    /// <summary>Probability of dropping an input element of the adapter branch while training.</summary>
    [Bounds("FPO1007", Minimum = 0, Below = 1), Default(0.0)]
    public double Dropout { get; set; }
}
