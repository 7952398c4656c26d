using System.Text.Json.Nodes;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Trainables;
using TorchSharp;
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

    /// <inheritdoc/>
    public override string PeftType => "LORA";

    /// <summary>α / r.</summary>
    public double Scaling => Alpha / Rank;

    internal Scalar Scale => Scalars.Of(Scaling);

    /// <inheritdoc/>
    public override LoraPair Place(Projection site, Generator random)
    {
        if (Rank < 1 || Rank > Math.Min(site.In, site.Out))
            throw new RecipeException("FPO1005", $"Rank = {Rank} is out of bounds at {site.Module} [{site.Out}, {site.In}]; allowed is at least 1 and at most {Math.Min(site.In, site.Out)}");
        using var scope = NewDisposeScope();
        double bound = 1 / Math.Sqrt(site.In); // kaiming_uniform_(a = √5)
        Tensor a = rand([Rank, site.In], float32, generator: random).mul(Scalars.Of(2 * bound)).sub(Scalars.Of(bound));
        return new LoraPair(
            new TrainableTensor($"{site.Module}.lora_A.weight", site.Role, TrainableKind.Adapter, a),
            new TrainableTensor($"{site.Module}.lora_B.weight", site.Role, TrainableKind.Adapter, zeros(site.Out, Rank)),
            this);
    }

    /// <summary>The method an adapter folder was trained with.</summary>
    public static LoraMethod From(AdapterConfig config)
    {
        int rank = (int)config.Number("r", 8);
        LoraMethod method = new() { Rank = rank, Alpha = config.Number("lora_alpha", 8), Dropout = config.Number("lora_dropout", 0) };
        method.CheckConfig(config);
        return method;
    }

    /// <inheritdoc/>
    public override void WriteConfig(JsonObject config)
    {
        config["r"] = Rank;
        config["lora_alpha"] = Alpha == Math.Floor(Alpha) ? JsonValue.Create((long)Alpha) : JsonValue.Create(Alpha);
        config["lora_dropout"] = Dropout;
        config["init_lora_weights"] = true;
        config["use_rslora"] = false;
        config["use_dora"] = false;
        config["rank_pattern"] = new JsonObject();
        config["alpha_pattern"] = new JsonObject();
    }

    /// <inheritdoc/>
    public override void CheckConfig(AdapterConfig config)
    {
        if (config.Number("r", 8) != Rank)
            throw config.Invalid("r", $"{Rank}, the rank of this adapter");
        if (config.Number("lora_alpha", 8) != Alpha)
            throw config.Invalid("lora_alpha", $"{Alpha}, the alpha of this adapter");
        foreach (string variant in (string[])["use_rslora", "use_dora", "lora_bias", "fan_in_fan_out"])
            if (config.Flag(variant))
                throw config.Invalid(variant, "false: this variant of LoRA is not supported");
        foreach (string pattern in (string[])["rank_pattern", "alpha_pattern"])
            if (config.HasEntries(pattern))
                throw config.Invalid(pattern, "nothing: one rank and one alpha for all sites");
        if (config.Text("bias") is { } and not "none")
            throw config.Invalid("bias", "\"none\"");
    }
}
