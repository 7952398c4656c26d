using FlatPO.Recipes.Generator.Model;
using Scriban;
using Scriban.Parsing;
using Scriban.Runtime;

namespace FlatPO.Recipes.Generator.Emission;

/// <summary>
/// The type names emitted code may say. A template says <c>{{Arena}}</c>; the vocabulary answers with a name that means the runtime's Arena inside the
/// user's class and remembers it, so that the alias block declares exactly the words a file uses.
/// </summary>
internal sealed class Vocabulary(TypeShell shell) : ScriptObject
{
    private readonly Dictionary<string, string> qualifiedByWord = [];

    /// <summary>The namespaces whose types the file says by their own names.</summary>
    public IReadOnlyList<string> Imports =>
        [.. RuntimeTypes.AlwaysImported.Concat(qualifiedByWord.Where(pair => IsImported(pair.Key, pair.Value)).Select(pair => TypeNames.Qualifier(pair.Value))).Distinct().OrderBy(Rank).ThenBy(name => name, StringComparer.Ordinal)];

    /// <summary>The words that need an alias: what is particular to this recipe, and what would mean something else inside the user's class.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Aliases =>
        [.. qualifiedByWord.Where(pair => !IsAtHome(pair.Key, pair.Value) && !IsImported(pair.Key, pair.Value)).OrderBy(pair => pair.Value, StringComparer.Ordinal)];

    /// <summary>The word for a type; what C# has its own word for stays.</summary>
    public string Word(string qualified)
    {
        if (!qualified.StartsWith("global::", StringComparison.Ordinal))
            return qualified;
        string word = TypeNames.Simple(qualified);
        if (shell.Taken.Contains(word))
            word = $"Recipes{word}";
        while (qualifiedByWord.TryGetValue(word, out string? other) && other != qualified)
            word += "2";
        qualifiedByWord[word] = qualified;
        return word;
    }

    /// <summary>The word for a type of <see cref="RuntimeTypes"/>, by its simple name.</summary>
    public string Runtime(string name) => Word($"global::{RuntimeTypes.FullNames[name]}");

    /// <summary>The word for a generic type of the runtime's root namespace: its own name, which is always imported, or all of it where the user has that name.</summary>
    public string GenericWord(string name) => shell.Taken.Contains(name) ? $"global::{RuntimeTypes.Root}.{name}" : name;

    /// <inheritdoc/>
    public override bool TryGetValue(TemplateContext? context, SourceSpan span, string member, out object? value)
    {
        if (base.TryGetValue(context!, span, member, out value))
            return true;
        if (!RuntimeTypes.FullNames.TryGetValue(member, out string? fullName))
            return false;
        value = Word($"global::{fullName}");
        return true;
    }

    /// <inheritdoc/>
    public override bool Contains(string member) => base.Contains(member) || RuntimeTypes.FullNames.ContainsKey(member);

    /// <summary>A type of the recipe's own namespace needs no alias, and may not have one.</summary>
    private bool IsAtHome(string word, string qualified) => HasOwnName(word, qualified) && TypeNames.Qualifier(qualified) == shell.Namespace;

    private static bool IsImported(string word, string qualified) => HasOwnName(word, qualified) && RuntimeTypes.IsImportable(TypeNames.Qualifier(qualified));

    private static bool HasOwnName(string word, string qualified) => TypeNames.Simple(qualified) == word && !qualified.Contains('<');

    private static int Rank(string @namespace) => @namespace.StartsWith("System", StringComparison.Ordinal) ? 0 : 1;
}
