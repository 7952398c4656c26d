namespace FlatPO.Recipes;

/// <summary>FlatPO (arXiv 2606.10488): climb along the sharpest few tensors only, take the gradient there, return, step.</summary>
public sealed class FlatPOAttribute : SharpnessAttribute
{
    /// <summary>f, the share of the tensors in scope that is perturbed: max(1, ⌊f · m⌋) of m. 1 is SAM.</summary>
    [Bounds("FPO2002", Above = 0, Maximum = "1"), Default(0.05)]
    public double Fraction { get; set; } = 0.05;

    /// <summary>How the tensors are chosen.</summary>
    [Default(SelectionRule.TopFraction)]
    public SelectionRule Selection { get; set; }
}

/// <summary>How FlatPO chooses the tensors it perturbs, given the m scores ‖gₜ‖₂ in scope.</summary>
public enum SelectionRule
{
    /// <summary>The max(1, ⌊f · m⌋) largest; of equal scores the earlier tensor (the reference's default).</summary>
    TopFraction,

    /// <summary>All with a score of at least the (1 − f)-quantile, linearly interpolated (the reference's variant).</summary>
    Quantile,

    /// <summary>max(1, ⌊f · m⌋) drawn at random, from the run's seed and step (the reference's ablation).</summary>
    Random,
}
