using System.Reflection;
using FlatPO.Recipes;

namespace Recipes.Tests;

/// <summary>The repository's own golden checkpoints. Recipes are compiled for their sizes, so another folder cannot take their place.</summary>
internal static class Golden
{
    private const int SmallestVocabulary = 300;

    internal static string Folder { get; } =
        Path.GetFullPath(typeof(Golden).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(entry => entry.Key == "GoldenFolder").Value!);

    internal static string Backbone(string name) => Path.Combine(Folder, "backbones", name);

    /// <summary>Random token sequences of different lengths.</summary>
    internal static TokenExample[] Tokens(int count)
    {
        Random random = new(count);
        return [.. Enumerable.Range(0, count).Select(_ => new TokenExample([.. Enumerable.Range(0, random.Next(4, 14)).Select(_ => random.Next(5, SmallestVocabulary))]))];
    }

    /// <summary>Random images whose brightness is their label, 0 or 1.</summary>
    internal static ImageExample[] Images(int count)
    {
        ImageShape shape = new(3, 32, 32);
        Random random = new(count);
        return [.. Enumerable.Range(0, count).Select(i => new ImageExample([.. Enumerable.Range(0, 3 * 32 * 32).Select(_ => i % 2 + random.NextSingle())], shape, i % 2))];
    }
}
