using System.Diagnostics.CodeAnalysis;

namespace FlatPO.Recipes.Training;

/// <summary>
/// What was made for some of the signatures of a run: a bounded number. The one unused for longest makes room, but not while it is still in use: where more signatures take turns than there is
/// room for, those that came first keep theirs.
/// </summary>
internal sealed class GraphShelf<T>(int room) : IDisposable
    where T : IDisposable
{
    // Steps without use after which something may go, as a multiple of the room.
    private const int Patience = 4;

    private readonly Dictionary<string, (T Item, long Used)> items = new(StringComparer.Ordinal);

    /// <summary>How many there are.</summary>
    internal int Count => items.Count;

    /// <summary>What was made for a signature, used at a step.</summary>
    internal bool TryUse(string signature, long step, [MaybeNullWhen(false)] out T item)
    {
        bool found = items.TryGetValue(signature, out (T Item, long Used) entry);
        if (found)
            items[signature] = entry with { Used = step };
        item = entry.Item;
        return found;
    }

    /// <summary>Whether something may be put there at a step; what nobody has used for long goes.</summary>
    internal bool MakeRoom(long step)
    {
        if (items.Count < room)
            return true;
        (string oldest, (T item, long used)) = items.MinBy(entry => entry.Value.Used);
        if (step - used <= Patience * room)
            return false;
        items.Remove(oldest);
        item.Dispose();
        return true;
    }

    /// <summary>Puts it there.</summary>
    internal void Put(string signature, long step, T item) => items.Add(signature, (item, step));

    /// <summary>Everything goes.</summary>
    public void Dispose()
    {
        foreach ((T item, _) in items.Values)
            item.Dispose();
        items.Clear();
    }
}
