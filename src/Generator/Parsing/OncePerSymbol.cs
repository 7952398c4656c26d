using System.Runtime.CompilerServices;
using Microsoft.CodeAnalysis;

namespace FlatPO.Recipes.Generator.Parsing;

/// <summary>
/// What is read off a symbol, read once as long as it lives. A symbol of a referenced assembly outlives thousands of keystrokes; one of the project's own
/// source lives in one compilation and is read anew in the next. The table keeps no symbol alive, and what is read must hold none.
/// </summary>
internal sealed class OncePerSymbol<TSymbol, T>(Func<TSymbol, T> read)
    where TSymbol : class, ISymbol
    where T : class?
{
    private readonly ConditionalWeakTable<TSymbol, T> known = new();
    private readonly ConditionalWeakTable<TSymbol, T>.CreateValueCallback create = new(read);

    public T Of(TSymbol symbol) => known.GetValue(symbol, create);
}
