using FlatPO.Recipes.Adapters.Ia3;

namespace FlatPO.Recipes;

/// <summary>(IA)³ (Liu et al., 2022): y = l ∘ (W x + b), or y = W (l ∘ x) + b at feed-forward sites, with l one at the start.</summary>
[RealizedBy(typeof(Ia3Method))]
[KeepsForBackward("out")]
[AdapterTensor("ia3_l", "1", "in", At = nameof(FeedForward))]
[AdapterTensor("ia3_l", "out", "1", NotAt = nameof(FeedForward))]
[Subset("FPO1018", nameof(FeedForward), nameof(Sites))]
public sealed class Ia3Attribute : AdapterAttribute
{
    /// <summary>The sites adapted, by role; key, value and down unless said otherwise, as PEFT has it for Llama (for OPT and Qwen2 it takes the query instead of the value or key).</summary>
    [Default(Sites.Key | Sites.Value | Sites.Down)]
    public override Sites Sites { get; set; } = Sites.Key | Sites.Value | Sites.Down;

    /// <summary>Which of the adapted sites are feed-forward, where l [1, in] scales the input; elsewhere l [out, 1] scales the output (PEFT's <c>feedforward_modules</c>).</summary>
    [Default(Sites.Down)]
    public Sites FeedForward { get; set; } = Sites.Down;
}
