namespace FlatPO.Recipes.Checkpoints;

/// <summary>
/// How rotary position embeddings turn (transformers <c>modeling_rope_utils.py</c>): <c>rope_parameters</c> of version 5, or the older
/// <c>rope_theta</c> beside <c>rope_scaling</c>.
/// </summary>
/// <param name="Kind"><c>default</c>, <c>linear</c>, <c>dynamic</c>, <c>llama3</c> or <c>yarn</c>.</param>
/// <param name="Theta">The base of the frequencies.</param>
/// <param name="Factor">By how much positions (linear), low frequencies (llama3, yarn) or, beyond the original context, the base (dynamic) are stretched.</param>
public sealed record RopeSettings(string Kind, double Theta, double Factor = 1)
{
    private const double DefaultTheta = 10000, DefaultFastTurns = 32, DefaultSlowTurns = 1;

    /// <summary>llama3: wavelengths longer than the original context divided by this are slowed down in full.</summary>
    public double LowFrequencyFactor { get; init; }

    /// <summary>llama3: wavelengths shorter than the original context divided by this are left alone.</summary>
    public double HighFrequencyFactor { get; init; }

    /// <summary>dynamic, llama3 and yarn: the context the model was first trained with.</summary>
    public double OriginalContext { get; init; }

    /// <summary>yarn: frequencies of more turns than this in the original context are left alone.</summary>
    public double FastTurns { get; init; } = DefaultFastTurns;

    /// <summary>yarn: frequencies of fewer turns than this in the original context are slowed down in full.</summary>
    public double SlowTurns { get; init; } = DefaultSlowTurns;

    /// <summary>yarn: whether the range between the two is widened to whole frequencies.</summary>
    public bool Truncate { get; init; } = true;

    /// <summary>yarn: what sines and cosines are multiplied by, so that attention stays as sharp as it was.</summary>
    public double AttentionFactor { get; init; } = 1;

    /// <summary>Reads whichever spelling the configuration uses.</summary>
    public static RopeSettings Of(ModelConfig config)
    {
        string name = config.Has("rope_parameters") ? "rope_parameters" : "rope_scaling";
        ModelConfig section = config.Section(name);
        double theta = section.Number("rope_theta", config.Number("rope_theta", DefaultTheta));
        string kindKey = section.Has("rope_type") ? "rope_type" : "type";
        string kind = section.Text(kindKey, "default");
        return kind switch
        {
            "default" => new RopeSettings(kind, theta),
            "mrope" => new RopeSettings("default", theta), // the frequencies are the plain ones; positions have three axes (Qwen2-VL)
            "linear" => new RopeSettings(kind, theta, section.Number("factor")),
            "dynamic" => new RopeSettings(kind, theta, section.Number("factor")) { OriginalContext = config.Number("max_position_embeddings") },
            "llama3" => new RopeSettings(kind, theta, section.Number("factor"))
            {
                LowFrequencyFactor = section.Number("low_freq_factor"),
                HighFrequencyFactor = section.Number("high_freq_factor"),
                OriginalContext = OriginalContextOf(config, section),
            },
            "yarn" => Yarn(config, section, theta),
            _ => throw section.Invalid(kindKey, "default, linear, dynamic, llama3, yarn or mrope"),
        };
    }

    private static RopeSettings Yarn(ModelConfig config, ModelConfig section, double theta)
    {
        double original = OriginalContextOf(config, section);
        double factor = section.Has("factor") ? section.Number("factor") : config.Number("max_position_embeddings") / original;
        return new RopeSettings("yarn", theta, factor)
        {
            OriginalContext = original,
            FastTurns = section.Number("beta_fast", DefaultFastTurns),
            SlowTurns = section.Number("beta_slow", DefaultSlowTurns),
            Truncate = section.Flag("truncate", true),
            AttentionFactor = section.Has("attention_factor") ? section.Number("attention_factor") : section.Has("mscale") && section.Has("mscale_all_dim")
                ? Sharpening(factor, section.Number("mscale")) / Sharpening(factor, section.Number("mscale_all_dim"))
                : Sharpening(factor, 1),
        };
    }

    // YaRN (arXiv 2309.00071), §3.4
    private static double Sharpening(double factor, double scale) => factor <= 1 ? 1 : 0.1 * scale * Math.Log(factor) + 1;

    private static double OriginalContextOf(ModelConfig config, ModelConfig section)
    {
        const string Original = "original_max_position_embeddings";
        return section.Has(Original) ? section.Number(Original) : config.Has(Original) ? config.Number(Original) : config.Number("max_position_embeddings");
    }
}
