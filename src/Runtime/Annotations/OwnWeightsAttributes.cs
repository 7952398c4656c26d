using FlatPO.Recipes.Adapters.BitFit;
using FlatPO.Recipes.Adapters.LinearProbe;
using FlatPO.Recipes.Adapters.LnTuning;

namespace FlatPO.Recipes;

/// <summary>Layer-norm tuning (Zhao et al., 2023): the norms' own weights and biases are trained.</summary>
[RealizedBy(typeof(LnTuningMethod))]
[KeepsForBackward("0")]
[AdapterTensor("ln_tuning_layers.weight", "out", IsWeight = true)]
[AdapterTensor("ln_tuning_layers.bias", "out", IsBias = true)]
public sealed class LnTuningAttribute : AdapterAttribute
{
    /// <summary>Every norm unless modules are named.</summary>
    [Default(Sites.Norm)]
    public override Sites Sites { get; set; } = Sites.Norm;
}

/// <summary>BitFit (Ben Zaken et al., 2022): the biases of linear layers and norms are trained. Sites without a bias are passed over.</summary>
[RealizedBy(typeof(BitFitMethod))]
[KeepsForBackward("0")]
[AdapterTensor("bias", "out", IsBias = true)]
public sealed class BitFitAttribute : AdapterAttribute
{
    /// <summary>Every linear layer and every norm unless said otherwise.</summary>
    [Default(Sites.AllLinear | Sites.Norm)]
    public override Sites Sites { get; set; } = Sites.AllLinear | Sites.Norm;
}

/// <summary>Linear probing: the head alone is trained, on features that stay as they are.</summary>
[RealizedBy(typeof(LinearProbeMethod))]
[AdapterTensor("weight", "out", "in", IsWeight = true)]
[AdapterTensor("bias", "out", IsBias = true)]
public sealed class LinearProbeAttribute : AdapterAttribute
{
    /// <summary>The head.</summary>
    [Default(Sites.Head)]
    public override Sites Sites { get; set; } = Sites.Head;
}
