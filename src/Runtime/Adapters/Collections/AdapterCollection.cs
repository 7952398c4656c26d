using FlatPO.Recipes.Adapters.Collections;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Trainables;

namespace FlatPO.Recipes.Adapters;

/// <summary>
/// Several adapters on one backbone, by name. One of them is active, or none, which is the base model; switching moves no weight. Modules that an adapter trained whole
/// (<c>modules_to_save</c>) are switched with it. Not for use by several threads at once, nor while a pass runs.
/// </summary>
/// <param name="backbone">The backbone, which carries no other adapters; it is not disposed with the collection.</param>
public sealed class AdapterCollection(Backbone backbone) : IDisposable
{
    private readonly Dictionary<string, (AdapterPlacement Placement, Arena Arena)> adapters = new(StringComparer.Ordinal);

    /// <summary>The backbone.</summary>
    public Backbone Backbone { get; } = backbone;

    /// <summary>The adapters' names, in the order they came.</summary>
    public IReadOnlyCollection<string> Names => adapters.Keys;

    /// <summary>The active adapter's name; null while the backbone is the base model.</summary>
    public string? Active { get; private set; }

    /// <summary>An adapter, to save or, while it is active, to merge. Throws FPO4017 for a name that is not there.</summary>
    public AdapterPlacement this[string name] => Find(name).Placement;

    /// <summary>
    /// Loads an adapter folder of peft beside the others; which one is active stays as it is. Throws FPO4018 for a name that is there, and what
    /// <see cref="PeftFolder.Place"/> throws; the collection is then as it was.
    /// </summary>
    public AdapterPlacement Load(string name, string folder)
    {
        RequireVacant(name);
        return Add(name, () => PeftFolder.Place(Backbone, folder));
    }

    /// <summary>
    /// Adds a LoRA adapter made of others, each with a weight, to be activated and saved like them (peft's <c>add_weighted_adapter</c>). The parts are plain LoRA at the same
    /// sites; <paramref name="rank"/> is that of <see cref="AdapterCombination.Svd"/>, the largest of theirs unless given. Throws FPO4017 for a part that is not there, FPO4018
    /// for a name that is, FPO4020 for parts that cannot be combined so, and FPO1005 for a rank larger than a layer.
    /// </summary>
    public AdapterPlacement Combine(string name, IReadOnlyList<(string Name, double Weight)> parts, AdapterCombination how = AdapterCombination.Svd, int? rank = null)
    {
        RequireVacant(name);
        LoraCombination combination = new([.. parts.Select(part => (part.Name, Find(part.Name).Placement, part.Weight))], how, rank);
        return Add(name, () => AdapterPlacement.Built(Backbone, combination.PlaceOn));
    }

    /// <summary>Makes an adapter the one the backbone computes with, or none of them. Throws FPO4017 for a name that is not there, FPO4022 while the active one is merged.</summary>
    public void Activate(string? name)
    {
        AdapterPlacement? next = name is null ? null : Find(name).Placement;
        if (Active is { } former)
            adapters[former].Placement.Detach();
        next?.Attach();
        Active = name;
        Training = Backbone.Training;
    }

    /// <summary>Forgets an adapter and frees its numbers. Throws FPO4017 for a name that is not there and FPO4018 for the active one.</summary>
    public void Remove(string name)
    {
        (AdapterPlacement placement, Arena arena) = Find(name);
        if (name == Active)
            throw new RecipeException("FPO4018", $"the adapter '{name}' is active and cannot be removed; activate another one or none first");
        adapters.Remove(name);
        arena.Dispose();
        placement.ReleaseConstants();
    }

    /// <summary>Makes the active adapter's tensors live for passes of the backbone, until the returned scope is left; nothing while none is active.</summary>
    public Arena.PassScope Bind() => Active is { } name ? adapters[name].Arena.Bind() : default;

    /// <summary>Puts the backbone and the active adapter into training or evaluation: dropout acts or not.</summary>
    public bool Training
    {
        set
        {
            Backbone.Training = value;
            if (Active is { } name)
                adapters[name].Placement.Training = value;
        }
    }

    /// <summary>Takes every adapter off the backbone and frees their numbers.</summary>
    public void Dispose()
    {
        foreach ((AdapterPlacement placement, _) in adapters.Values)
            placement.Merged?.Dispose();
        Activate(null);
        foreach ((AdapterPlacement placement, Arena arena) in adapters.Values)
        {
            arena.Dispose();
            placement.ReleaseConstants();
        }
        adapters.Clear();
    }

    /// <summary>Adds what <paramref name="place"/> places on the bare backbone; nothing where it throws.</summary>
    private AdapterPlacement Add(string name, Func<AdapterPlacement> place)
    {
        string? active = Active;
        Activate(null);
        try
        {
            AdapterPlacement placement = place();
            try
            {
                adapters.Add(name, (placement, placement.BuildArena()));
            }
            catch
            {
                placement.Discard();
                throw;
            }
            placement.Detach();
            return placement;
        }
        finally
        {
            Activate(active);
        }
    }

    private void RequireVacant(string name)
    {
        if (adapters.ContainsKey(name))
            throw new RecipeException("FPO4018", $"there is an adapter '{name}' already; remove it first, or choose another name than {Known()}");
    }

    private (AdapterPlacement Placement, Arena Arena) Find(string name) => adapters.TryGetValue(name, out var found)
        ? found
        : throw new RecipeException("FPO4017", $"there is no adapter '{name}'; {(adapters.Count == 0 ? "none is loaded" : $"known are {Known()}")}");

    private string Known() => string.Join(", ", adapters.Keys.Select(name => $"'{name}'"));
}
