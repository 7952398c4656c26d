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

    /// <summary>The aliases for all words said so far, in alphabetical order.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Aliases =>
        [.. qualifiedByWord.Where(pair => !IsAtHome(pair.Key, pair.Value)).OrderBy(pair => pair.Value, StringComparer.Ordinal)];

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
    private bool IsAtHome(string word, string qualified) => TypeNames.Simple(qualified) == word && TypeNames.Qualifier(qualified) == shell.Namespace && !qualified.Contains('<');
}
