namespace FlatPO.Recipes.Generator.Model;

/// <summary>An adapter method at its sites.</summary>
/// <param name="Annotation">The attribute.</param>
/// <param name="Towers">The towers that carry adapters, in the backbone's order.</param>
internal sealed record AdapterModel(Annotation Annotation, EquatableArray<PlacedTower> Towers)
{
    /// <summary>Every site taken, tower by tower.</summary>
    public IEnumerable<PlacedSite> Sites => Towers.SelectMany(tower => tower.Sites);

    /// <summary>All tensors and how often each occurs.</summary>
    public IEnumerable<(PlacedSite Site, PlacedTensor Tensor, int Places)> Tensors =>
        from tower in Towers
        from placed in tower.Sites
        from tensor in placed.Tensors
        select (placed, tensor, tower.Places(placed.Site));
}

/// <summary>A tower's share of the adapters.</summary>
/// <param name="Tower">The tower.</param>
/// <param name="First">The first adapted layer.</param>
/// <param name="Last">The last adapted layer.</param>
/// <param name="Sites">In module order.</param>
internal sealed record PlacedTower(TowerModel Tower, int First, int Last, EquatableArray<PlacedSite> Sites)
{
    public IEnumerable<PlacedSite> InLayers => Sites.Where(placed => placed.Site.InLayers);

    public IEnumerable<PlacedSite> Outside => Sites.Where(placed => !placed.Site.InLayers);

    /// <summary>How many places it takes of a site: one, or one a layer.</summary>
    public int Places(SiteModel site) => site.InLayers ? Last - First + 1 : 1;

    /// <summary>Whether it leaves layers out.</summary>
    public bool IsPartial => InLayers.Any() && (First > 0 || Last < Tower.Layers - 1);
}

/// <summary>A site an adapter takes.</summary>
/// <param name="Site">The site.</param>
/// <param name="Path">The properties of the emitted classes that lead to it, behind its layer or tower: SelfAttn, QProj.</param>
/// <param name="Tensors">The tensors the adapter adds.</param>
internal sealed record PlacedSite(SiteModel Site, EquatableArray<string> Path, EquatableArray<PlacedTensor> Tensors);

/// <summary>A tensor an adapter adds at one site.</summary>
internal sealed record PlacedTensor(string Name, EquatableArray<long> Shape)
{
    /// <summary>Numbers in it.</summary>
    public long Count => Shape.Aggregate(1L, (product, size) => product * size);
}

/// <summary>A module trained whole.</summary>
internal sealed record SavedModule(SiteModel Site);
