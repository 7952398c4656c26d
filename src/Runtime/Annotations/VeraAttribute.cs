using FlatPO.Recipes.Adapters.Vera;

namespace FlatPO.Recipes;

/// <summary>
/// VeRA (Kopiczko et al., 2023): W x + λ_b ∘ B (λ_d ∘ A x), with one frozen random pair A [rank, largest in] and B [largest out, rank] for all adapted layers, each of which
/// takes the part of its own sizes. Only the two vectors of a site are trained: λ_d [rank] and λ_b [out].
/// </summary>
[RealizedBy(typeof(VeraMethod))]
[KeepsForBackward("Rank + out")]
[AdapterTensor("vera_lambda_b", "out")]
[AdapterTensor("vera_lambda_d", "Rank")]
public sealed class VeraAttribute : AdapterAttribute
{
    /// <summary>r, the rank of the shared pair (PEFT's <c>r</c>). It costs r numbers a site, so that it may be far above LoRA's, and above the sizes of the layer.</summary>
    [Bounds("FPO1040", Minimum = 1), Default(256)]
    public int Rank { get; set; } = 256;

    /// <summary>Where every number of λ_d begins; λ_b begins at 0 (PEFT's <c>d_initial</c>).</summary>
    [Bounds("FPO1041", Above = 0), Default(0.1)]
    public double DInitial { get; set; } = 0.1;

    /// <summary>Probability of dropping an input element of the adapter branch while training (PEFT's <c>vera_dropout</c>).</summary>
    [Bounds("FPO1007", Minimum = 0, Below = 1), Default(0.0)]
    public double Dropout { get; set; }

    /// <summary>What the numbers of A and B are drawn from, the same ones at every run whatever the seed (PEFT's <c>projection_prng_key</c>).</summary>
    [Bounds("FPO1042", Minimum = 0), Default(0)]
    public int ProjectionPrngKey { get; set; }

    /// <summary>
    /// Whether the adapter file holds A and B (PEFT's <c>save_projection</c>). Without them it is small, and whoever reads it draws them anew from
    /// <see cref="ProjectionPrngKey"/>, which gives the same numbers only where the random number generator is the same.
    /// </summary>
    [Default(true)]
    public bool SaveProjection { get; set; } = true;
}
