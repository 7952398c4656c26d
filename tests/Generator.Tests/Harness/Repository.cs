using System.Reflection;

namespace FlatPO.Recipes.Generator.Tests.Harness;

/// <summary>Files of the repository, as text.</summary>
internal static class Repository
{
    private static string Root { get; } = typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(item => item.Key == "RepositoryRoot").Value!;

    internal static string PathOf(string relative) => Path.GetFullPath(Path.Combine(Root, relative));

    internal static string Read(string relative) => File.ReadAllText(PathOf(relative)).ReplaceLineEndings("\n");

    internal static string Specimen(string name) => Read($"tests/Specimens/{name}.cs");

    internal static IEnumerable<string> FilesUnder(string relative, string pattern) =>
        Directory.EnumerateFiles(PathOf(relative), pattern, SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}") && !file.Contains($"{Path.DirectorySeparatorChar}bin{Path.DirectorySeparatorChar}"))
            .Order(StringComparer.Ordinal);
}
