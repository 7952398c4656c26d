using FlatPO.Recipes.Generator.Model;
using Microsoft.CodeAnalysis;

namespace FlatPO.Recipes.Generator.Parsing;

/// <summary>A type by the name emitted code would like to say and by the name that always means it.</summary>
internal sealed record Word(string Name, string Qualified)
{
    /// <summary>The word for a <c>global::</c> qualified type; null for a type C# has its own word for.</summary>
    public static Word? Of(string? qualified) =>
        qualified is not null && qualified.StartsWith("global::", StringComparison.Ordinal) ? new(TypeNames.Simple(qualified), qualified) : null;
}

/// <summary>Which words mean another thing where a class is reopened.</summary>
internal static class TakenWords
{
    private static readonly IReadOnlyList<Word> Runtime = [.. RuntimeTypes.FullNames.Select(pair => new Word(pair.Key, $"global::{pair.Value}"))];

    /// <summary>Names alone: asking for the members themselves would bind them.</summary>
    private static readonly OncePerSymbol<INamedTypeSymbol, HashSet<string>> Members = new(static type => [.. type.MemberNames, .. type.GetTypeMembers().Select(nested => nested.Name)]);

    private static readonly OncePerSymbol<INamespaceSymbol, HashSet<string>> Home = new(static space => [.. space.GetMembers().Select(member => member.Name)]);

    /// <summary>The names a type declares.</summary>
    public static ICollection<string> MembersOf(INamedTypeSymbol type) => Members.Of(type);

    /// <summary>The taken ones among the runtime's words and <paramref name="words"/>, a list for each annotation.</summary>
    public static EquatableArray<string> In(INamedTypeSymbol type, IReadOnlyList<IReadOnlyList<Word>> words)
    {
        HashSet<string>[] members = [.. Levels(type)];
        HashSet<string> home = Home.Of(type.ContainingNamespace);
        SortedSet<string>? taken = null;
        foreach (IReadOnlyList<Word> some in words.Prepend(Runtime))
            foreach (Word word in some)
                if (IsMember(word.Name) || (home.Contains(word.Name) && IsAnother(type.ContainingNamespace, word)))
                    (taken ??= new SortedSet<string>(StringComparer.Ordinal)).Add(word.Name);
        return taken is null ? [] : [.. taken];

        bool IsMember(string name)
        {
            foreach (HashSet<string> level in members)
                if (level.Contains(name))
                    return true;
            return false;
        }
    }

    /// <summary>Members of the class, of the types around it and of their base classes are nearer than any namespace's.</summary>
    private static IEnumerable<HashSet<string>> Levels(INamedTypeSymbol type)
    {
        for (INamedTypeSymbol? around = type; around is not null; around = around.ContainingType)
            for (INamedTypeSymbol? level = around; level is not null; level = level.BaseType)
                yield return Members.Of(level);
    }

    /// <summary>Whether a namespace holds something else of this name.</summary>
    private static bool IsAnother(INamespaceSymbol home, Word word) =>
        home.GetMembers(word.Name).Any(found => found is not INamedTypeSymbol { Arity: > 0 } && (found is not ITypeSymbol same || AttributeReader.Qualified(same) != word.Qualified));
}
