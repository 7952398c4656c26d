namespace FlatPO.Recipes.Checkpoints;

/// <summary>
/// How rotary position embeddings turn (transformers <c>modeling_rope_utils.py</c>): <c>rope_parameters</c> of version 5, or the older
/// <c>rope_theta</c> beside <c>rope_scaling</c>.
/// </summary>
/// <param name="Kind"><c>default</c>, <c>linear</c> or <c>llama3</c>.</param>
/// <param name="Theta">The base of the frequencies.</param>
/// <param name="Factor">By how much positions (linear) or low frequencies (llama3) are slowed down.</param>
public sealed record RopeSettings(string Kind, double Theta, double Factor = 1)
{
    private const double DefaultTheta = 10000;

    /// <summary>llama3: wavelengths longer than the original context divided by this are slowed down in full.</summary>
    public double LowFrequencyFactor { get; init; }

    /// <summary>llama3: wavelengths shorter than the original context divided by this are left alone.</summary>
    public double HighFrequencyFactor { get; init; }

    /// <summary>llama3: the context the model was first trained with.</summary>
    public double OriginalContext { get; init; }

    /// <summary>Reads whichever spelling the configuration uses.</summary>
    public static RopeSettings Of(ModelConfig config)
    {
        string section = config.Has("rope_parameters") ? "rope_parameters" : "rope_scaling";
        double theta = config.Number($"{section}.rope_theta", config.Number("rope_theta", DefaultTheta));
        string kindKey = config.Has($"{section}.rope_type") ? $"{section}.rope_type" : $"{section}.type";
        string kind = config.Text(kindKey, "default");
        return kind switch
        {
            "default" => new RopeSettings(kind, theta),
            "mrope" => new RopeSettings("default", theta), // the frequencies are the plain ones; positions have three axes (Qwen2-VL)
            "linear" => new RopeSettings(kind, theta, config.Number($"{section}.factor")),
            "llama3" => new RopeSettings(kind, theta, config.Number($"{section}.factor"))
            {
                LowFrequencyFactor = config.Number($"{section}.low_freq_factor"),
                HighFrequencyFactor = config.Number($"{section}.high_freq_factor"),
                OriginalContext = config.Number($"{section}.original_max_position_embeddings", config.Number("max_position_embeddings")),
            },
            _ => throw config.Invalid(kindKey, "default, linear, llama3 or mrope"),
        };
    }
}
