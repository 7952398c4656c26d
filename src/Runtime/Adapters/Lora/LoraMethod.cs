using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters.Lora;

/// <summary>LoRA (arXiv 2106.09685; peft <c>tuners/lora/layer.py</c>).</summary>
public sealed class LoraMethod : AdapterMethod<LoraPair>
{
    /// <inheritdoc cref="LoraAttribute.Rank"/>
    public int Rank { get; init; } = 8;

    /// <inheritdoc cref="LoraAttribute.Alpha"/>
    public double Alpha { get; init; } = 8;

    /// <inheritdoc cref="LoraAttribute.Dropout"/>
    public double Dropout { get; init; }

    /// <summary>α / r.</summary>
    public double Scaling => Alpha / Rank;

    /// <inheritdoc/>
    public override LoraPair Place(Projection site, Generator random)
    {
        if (Rank < 1 || Rank > Math.Min(site.In, site.Out))
            throw new RecipeException("FPO1005", $"Rank = {Rank} is out of bounds at {site.Module} [{site.Out}, {site.In}]; allowed is at least 1 and at most {Math.Min(site.In, site.Out)}");
        using var scope = NewDisposeScope();
        double bound = 1 / Math.Sqrt(site.In); // kaiming_uniform_(a = √5)
        Tensor a = rand([Rank, site.In], float32, generator: random).mul(2 * bound).sub(bound);
        return new LoraPair(
            new TrainableTensor($"{site.Module}.lora_A.weight", site.Role, TrainableKind.Adapter, a),
            new TrainableTensor($"{site.Module}.lora_B.weight", site.Role, TrainableKind.Adapter, zeros(site.Out, Rank)),
            this);
    }
}
