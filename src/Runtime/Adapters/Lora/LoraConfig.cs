using System.Globalization;
using System.Text.Json.Nodes;
using FlatPO.Recipes.Adapters.Config;
using FlatPO.Recipes.Backbones;

namespace FlatPO.Recipes.Adapters.Lora;

/// <summary>LoRA's entries of adapter_config.json (peft <c>tuners/lora/config.py</c>).</summary>
internal static class LoraConfig
{
    internal const string PeftType = "LORA";

    /// <summary>What changes the output and has no counterpart here; peft writes null, false or nothing where it is not used.</summary>
    private static readonly string[] Unsupported =
    [
        "fan_in_fan_out", "layer_replication", "alora_invocation_tokens", "arrow_config", "kasa_config", "monteclora_config", "use_bdlora", "use_qalora",
    ];

    /// <summary>What <c>bias</c> may say, by the number of <see cref="LoraBiasTraining"/>'s member.</summary>
    private static readonly string[] BiasNames = ["none", "lora_only", "all"];

    /// <summary>Initialisations that change the base weights, so that the adapter alone does not give the model (peft's PiSSA, CorDA, OLoRA, LoftQ, LoRA-GA).</summary>
    private static readonly string[] ChangesBase = ["pissa", "corda", "olora", "loftq", "lora_ga"];

    /// <summary>The method as the entries describe it; peft's defaults where they are missing.</summary>
    internal static LoraMethod Read(AdapterConfig config) => new()
    {
        Rank = (int)config.Number("r", 8),
        Alpha = config.Number("lora_alpha", 8),
        RankPattern = NumberPattern.Read(config, "rank_pattern").Texts,
        AlphaPattern = NumberPattern.Read(config, "alpha_pattern").Texts,
        Dropout = config.Number("lora_dropout", 0),
        UseRslora = config.Flag("use_rslora"),
        UseDora = config.Flag("use_dora"),
        LoraBias = config.Flag("lora_bias"),
        Bias = (config.Text("bias") ?? BiasNames[0]) is var bias && Array.IndexOf(BiasNames, bias) is >= 0 and var training
            ? (LoraBiasTraining)training
            : throw config.Invalid("bias", $"one of {string.Join(", ", BiasNames)}"),
        Initialization = InitializationName(config) == "gaussian" ? LoraInitialization.Gaussian : LoraInitialization.KaimingUniform,
    };

    internal static void Write(LoraMethod method, JsonObject config)
    {
        config["fan_in_fan_out"] = false;
        double longer = FileRank(method), scale = FileAlpha(method);
        config["r"] = Number(method.Rank * longer);
        config["lora_alpha"] = Number(method.Alpha * scale);
        config["lora_dropout"] = method.Dropout;
        config["init_lora_weights"] = method.Initialization == LoraInitialization.Gaussian ? JsonValue.Create("gaussian") : JsonValue.Create(true);
        config["use_rslora"] = method.UseRslora;
        config["use_dora"] = method.UseDora;
        config["lora_bias"] = method.LoraBias;
        config["bias"] = BiasNames[(int)method.Bias];
        config["rank_pattern"] = new JsonObject(method.RankEntries.Select(entry => KeyValuePair.Create(entry.Name, (JsonNode?)Number(entry.Number * longer))));
        config["alpha_pattern"] = new JsonObject(method.AlphaEntries.Select(entry => KeyValuePair.Create(entry.Name, (JsonNode?)Number(entry.Number * scale))));
    }

    /// <summary>Throws FPO4011 at the first entry that says something else than <paramref name="method"/>. How the numbers once began, and dropout, change nothing.</summary>
    internal static void Check(LoraMethod method, AdapterConfig config, IReadOnlyList<Site> sites)
    {
        string converted = LoraStart.IsPartOfWeight(method.Initialization) ? $" as peft converts {method.Initialization}: twice the rank at the same scale" : "";
        CheckNumber(config, ("r", "rank_pattern"), sites, site => method.RankAt(site) * FileRank(method), $"the rank of this adapter{converted}");
        CheckNumber(config, ("lora_alpha", "alpha_pattern"), sites, site => method.AlphaAt(site) * FileAlpha(method), $"the alpha of this adapter{converted}");
        foreach ((string variant, bool used) in ((string, bool)[])[("use_rslora", method.UseRslora), ("use_dora", method.UseDora), ("lora_bias", method.LoraBias)])
            if (config.Flag(variant) != used)
                throw config.Invalid(variant, $"{(used ? "true" : "false")}, as this adapter has it");
        foreach (string variant in Unsupported)
            if (config.IsUsed(variant))
                throw config.Invalid(variant, "nothing: this variant of LoRA is not supported");
        if (InitializationName(config) is { } name && ChangesBase.Any(known => name.StartsWith(known, StringComparison.Ordinal)))
            throw config.Invalid("init_lora_weights", "true or \"gaussian\": the others change the base weights, which the adapter folder does not hold");
        if ((config.Text("bias") ?? BiasNames[0]) != BiasNames[(int)method.Bias])
            throw config.Invalid("bias", $"\"{BiasNames[(int)method.Bias]}\", as this adapter has it");
    }

    /// <summary>By how much the rank in the file is larger: a pair that began as a part of its weight is saved beside that part (peft <c>peft_model.py</c>, <c>save_pretrained</c>).</summary>
    private static double FileRank(LoraMethod method) => LoraStart.IsPartOfWeight(method.Initialization) ? 2 : 1;

    /// <summary>By how much alpha is larger there, so that the scale stays.</summary>
    private static double FileAlpha(LoraMethod method) => method.UseRslora ? Math.Sqrt(FileRank(method)) : FileRank(method);

    /// <summary>A number and its pattern must come to the same at every site, however they put it.</summary>
    private static void CheckNumber(AdapterConfig config, (string Number, string Pattern) keys, IReadOnlyList<Site> sites, Func<Site, double> expected, string what)
    {
        NumberPattern pattern = NumberPattern.Read(config, keys.Pattern);
        double everywhere = config.Number(keys.Number, 8);
        foreach (Site site in sites)
            if (pattern.At(site.Module) is var special && (special ?? everywhere) != expected(site))
                throw config.Invalid(special is null ? keys.Number : keys.Pattern, string.Create(CultureInfo.InvariantCulture, $"{expected(site)} at {site.Module}, {what}"));
    }

    /// <summary>A number as Python writes it: whole ones without a point.</summary>
    private static JsonValue Number(double number) => number == Math.Floor(number) ? JsonValue.Create((long)number) : JsonValue.Create(number);

    /// <summary><c>init_lora_weights</c> where it is a name; null where it is true or false.</summary>
    private static string? InitializationName(AdapterConfig config) => config.IsText("init_lora_weights") ? config.Text("init_lora_weights")!.ToLowerInvariant() : null;
}
