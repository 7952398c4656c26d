namespace FlatPO.Recipes;

/// <summary>What the two sharpness policies share. A recipe carries at most one; without one it trains with its base optimizer alone.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public abstract class SharpnessAttribute : Attribute
{
    /// <summary>ρ, the length of the climb.</summary>
    [Bounds("FPO2001", Minimum = 0), PerRun, Default(0.05)]
    public double Rho { get; set; } = 0.05;

    /// <summary>The adapter tensors that may be perturbed, by the site they sit at; all of them unless given.</summary>
    [Default(Sites.None)]
    public Sites Scope { get; set; }

    /// <summary>ASAM: ε = ρ · θ² ∘ g / ‖|θ| ∘ g‖ instead of ε = ρ · g / ‖g‖; wants a ρ about ten times larger.</summary>
    [Default(false)]
    public bool Adaptive { get; set; }

    /// <summary>The tensors whose gradients make up the norm that ε is divided by.</summary>
    [Default(Normalization.AllTensors)]
    public Normalization Normalization { get; set; }
}

/// <summary>The tensors whose gradients make up the norm that the perturbation is divided by.</summary>
public enum Normalization
{
    /// <summary>Every trainable tensor: the climb is shorter than ρ (the reference's behaviour).</summary>
    AllTensors,

    /// <summary>The perturbed tensors alone: the climb is ρ long.</summary>
    Selected,
}
