using System.Globalization;

namespace FlatPO.Recipes;

/// <summary>How a text is continued. As it stands: greedily, up to 256 tokens, to the end-of-text ids of the model's folder.</summary>
public sealed record GenerationSettings
{
    private const string Id = "FPO3050";

    /// <summary>The most tokens a text grows by; fewer where the backbone has no position for more.</summary>
    public int MaxNewTokens { get; init; } = 256;

    /// <summary>What logits are divided by before a token is drawn; 0 always takes the likeliest.</summary>
    public double Temperature { get; init; }

    /// <summary>Draws among the likeliest tokens whose probabilities first add up to this (nucleus sampling); 1 among all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Draws among so many of the likeliest tokens; 0 among all.</summary>
    public int TopK { get; init; }

    /// <summary>Ids that end a text, which keeps them; <c>eos_token_id</c> of generation_config.json, else of config.json, where not given. Empty for none.</summary>
    public IReadOnlyList<int>? StopIds { get; init; }

    /// <summary>A text's draws depend on this, on its number and on the step alone, not on the texts beside it.</summary>
    public int Seed { get; init; }

    /// <summary>Texts continued at once.</summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>Throws FPO3050 for a value that is out of bounds or does nothing.</summary>
    internal void Check()
    {
        Require(MaxNewTokens >= 1, nameof(MaxNewTokens), MaxNewTokens, "at least 1");
        Require(double.IsFinite(Temperature) && Temperature >= 0, nameof(Temperature), Temperature, "at least 0");
        Require(TopP is > 0 and <= 1, nameof(TopP), TopP, "above 0 and at most 1");
        Require(TopK >= 0, nameof(TopK), TopK, "at least 0");
        Require(BatchSize >= 1, nameof(BatchSize), BatchSize, "at least 1");
        Require(Temperature > 0 || TopP == 1, nameof(TopP), TopP, "1 while Temperature = 0, which always takes the likeliest");
        Require(Temperature > 0 || TopK == 0, nameof(TopK), TopK, "0 while Temperature = 0, which always takes the likeliest");
    }

    private static void Require(bool holds, string name, double value, string allowed)
    {
        if (!holds)
            throw new RecipeException(Id, string.Create(CultureInfo.InvariantCulture, $"{name} = {value} cannot be; allowed is {allowed}"));
    }
}

/// <summary>What followed a prompt.</summary>
/// <param name="Ids">The new ids alone, a stop id that ended them with them.</param>
/// <param name="Stopped">Whether a stop id ended them, and not their number.</param>
public sealed record Completion(IReadOnlyList<int> Ids, bool Stopped);

/// <summary>A token as it is found, for those who show a text while it grows.</summary>
/// <param name="Prompt">Number of the prompt it belongs to.</param>
/// <param name="Id">The token.</param>
public readonly record struct GeneratedToken(int Prompt, int Id);
