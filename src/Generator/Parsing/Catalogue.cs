using System.Reflection;
using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Parsing;

/// <summary>What config.json says of well-known models: each file of the Catalogue folder holds a family's, by model id.</summary>
internal static class Catalogue
{
    private static readonly Lazy<EquatableArray<ConfigFacts>> Models = new(() => [.. ReadAll()]);

    public static EquatableArray<ConfigFacts> All => Models.Value;

    private static IEnumerable<ConfigFacts> ReadAll()
    {
        Assembly assembly = typeof(Catalogue).Assembly;
        foreach (string name in assembly.GetManifestResourceNames().Where(name => name.StartsWith("Catalogue/", StringComparison.Ordinal)).OrderBy(name => name, StringComparer.Ordinal))
        {
            using StreamReader reader = new(assembly.GetManifestResourceStream(name)!);
            foreach (ConfigFacts model in ByModel(JsonFacts.Read(reader.ReadToEnd())))
                yield return model;
        }
    }

    /// <summary>Each model's keys carry its id in front; ids have dots themselves, and models objects within, so they are found by their <c>model_type</c>.</summary>
    private static IEnumerable<ConfigFacts> ByModel(EquatableArray<Fact> facts)
    {
        const string Mark = ".model_type";
        string[] ids = [.. facts.Where(fact => fact.Key.EndsWith(Mark, StringComparison.Ordinal)).Select(fact => fact.Key.Substring(0, fact.Key.Length - Mark.Length))];
        foreach (string id in ids)
        {
            string prefix = $"{id}.";
            yield return new ConfigFacts(
                id,
                [.. facts.Where(fact => fact.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(fact => fact with { Key = fact.Key.Substring(prefix.Length) })],
                null);
        }
    }
}
