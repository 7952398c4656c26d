namespace FlatPO.Recipes.Generator.Model;

/// <summary>What a config.json says, flattened: <c>text_config.hidden_size</c>, and <c>id2label.count</c> for the length of a list or object.</summary>
/// <param name="Path">Its path with forward slashes, or the model id of the catalogue.</param>
/// <param name="Values">In the order of the file.</param>
/// <param name="Error">Why it could not be read.</param>
internal sealed record ConfigFacts(string Path, EquatableArray<Fact> Values, string? Error)
{
    /// <summary>A value by key; null where the key is missing or its value is null.</summary>
    public Fact? Find(string key) => Values.FirstOrDefault(fact => fact.Key == key) is { Kind: not FactKind.Null } found ? found : null;
}

/// <summary>One value of a config.json. A boolean's number is 1 or 0.</summary>
internal sealed record Fact(string Key, FactKind Kind, double Number, string Text);

/// <summary>The type of a value in JSON; a count is the length of a list or object.</summary>
internal enum FactKind
{
    Null,
    Number,
    Boolean,
    Text,
    Count,
}
