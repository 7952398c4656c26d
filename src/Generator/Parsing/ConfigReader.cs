using FlatPO.Recipes.Generator.Model;
using Microsoft.CodeAnalysis;

namespace FlatPO.Recipes.Generator.Parsing;

/// <summary>The config.json files a project shows to the compiler.</summary>
internal static class ConfigReader
{
    public static bool IsConfig(string path) => Normalise(path) is var file && (file == "config.json" || file.EndsWith("/config.json", StringComparison.Ordinal));

    public static ConfigFacts Read(AdditionalText file, CancellationToken cancellation)
    {
        string path = Normalise(file.Path);
        if (file.GetText(cancellation) is not { } text)
            return new ConfigFacts(path, [], "it cannot be read");
        try
        {
            return new ConfigFacts(path, JsonFacts.Read(text.ToString()), null);
        }
        catch (FormatException error)
        {
            return new ConfigFacts(path, [], error.Message);
        }
    }

    private static string Normalise(string path) => path.Replace('\\', '/');
}
