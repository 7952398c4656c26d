namespace FlatPO.Recipes.Adapters;

/// <summary>How several LoRA adapters become one (peft's <c>combination_type</c> of <c>add_weighted_adapter</c>); w is an adapter's weight, s its scale α / r, ΔW = s · B A.</summary>
public enum AdapterCombination
{
    /// <summary>Σ w · ΔW by its largest singular values: the nearest sum of the rank asked for, exact where the rank is that of <see cref="Concatenated"/>.</summary>
    Svd,

    /// <summary>A = Σ ±√|w s| · A and B = Σ √|w s| · B with the sign of w s on A: cheap, of one rank, and not the sum, for each A meets the other adapters' B as well.</summary>
    Linear,

    /// <summary>A = w s · A one below the other and B side by side: exactly Σ w · ΔW, of the sum of the ranks.</summary>
    Concatenated,
}
