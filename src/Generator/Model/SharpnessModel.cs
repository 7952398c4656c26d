namespace FlatPO.Recipes.Generator.Model;

/// <summary>How the tensors that are perturbed are chosen.</summary>
internal enum SelectionKind
{
    All,
    TopFraction,
    Quantile,
    Random,
}

/// <summary>The sharpness policy on a known set of tensors.</summary>
internal sealed record SharpnessModel
{
    public required Annotation Annotation { get; init; }

    public required SelectionKind Selection { get; init; }

    public required double Fraction { get; init; }

    /// <summary>m, the adapter tensors in scope.</summary>
    public required int InScope { get; init; }

    /// <summary>max(1, ⌊f · m⌋), or m for <see cref="SelectionKind.All"/>.</summary>
    public required int Count { get; init; }

    public required bool Adaptive { get; init; }

    /// <summary>Whether the norm runs over the selected tensors alone.</summary>
    public required bool NormOfSelected { get; init; }
}
