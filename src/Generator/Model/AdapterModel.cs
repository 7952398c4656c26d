namespace FlatPO.Recipes.Generator.Model;

/// <summary>The adapter methods of a recipe at their sites.</summary>
/// <param name="Annotations">The attributes; most recipes have one.</param>
/// <param name="Towers">The towers that carry adapters, in the backbone's order.</param>
/// <param name="Elsewhere">Layers that carry none and of which something is trained all the same, in module order; those trained whole are not among them.</param>
internal sealed record AdapterModel(EquatableArray<Annotation> Annotations, EquatableArray<PlacedTower> Towers, EquatableArray<PlacedSite> Elsewhere)
{
    /// <summary>The first of them, which speaks for the recipe.</summary>
    public Annotation First => Annotations[0];

    /// <summary>Every site taken, tower by tower.</summary>
    public IEnumerable<PlacedSite> Sites => Towers.SelectMany(tower => tower.Sites);

    /// <summary>All tensors and how often each occurs.</summary>
    public IEnumerable<(PlacedSite Site, PlacedTensor Tensor, int Places)> Tensors =>
        from placed in Sites.Concat(Elsewhere)
        from run in placed.Runs
        from tensor in run.Tensors
        select (placed, tensor, run.Places);
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

    /// <summary>Every module taken, layer by layer.</summary>
    public IEnumerable<(SiteModel Site, string Module)> Modules =>
        from placed in Sites
        from layer in placed.Site.InLayers ? Enumerable.Range(First, Last - First + 1) : [0]
        select (placed.Site, placed.Site.ModuleAt(layer));

    /// <summary>One adapter's share of it.</summary>
    public PlacedTower Of(Annotation adapter) => this with { Sites = [.. Sites.Where(placed => placed.Adapter == adapter)] };

    /// <summary>Whether it leaves layers out.</summary>
    public bool IsPartial => InLayers.Any() && (First > 0 || Last < Tower.Layers - 1);
}

/// <summary>A site an adapter takes.</summary>
/// <param name="Site">The site.</param>
/// <param name="Adapter">The adapter's attribute.</param>
/// <param name="Path">The properties of the emitted classes that lead to it, behind its layer or tower: SelfAttn, QProj.</param>
/// <param name="Runs">What the adapter adds, layer by layer; one run where no layer differs.</param>
internal sealed record PlacedSite(SiteModel Site, Annotation Adapter, EquatableArray<string> Path, EquatableArray<LayerRun> Runs)
{
    /// <summary>All that it adds, whatever the layer.</summary>
    public IEnumerable<PlacedTensor> Tensors => Runs.SelectMany(run => run.Tensors);

    /// <summary>What it adds in one layer.</summary>
    public LayerRun In(int layer) => Runs.First(run => !Site.InLayers || run.Last >= layer);

    /// <summary>Whether it is there in one layer.</summary>
    public bool IsIn(int layer) => Runs.Any(run => run.First <= layer && layer <= run.Last);
}

/// <summary>Layers in which an adapter adds the same to a site; 0 to 0 for a site outside them.</summary>
/// <param name="First">The first of them.</param>
/// <param name="Last">The last of them.</param>
/// <param name="Tensors">The tensors it adds.</param>
/// <param name="Own">Numbers it keeps for backward at one position beside the site's input.</param>
/// <param name="OfInput">Numbers of the input that it keeps.</param>
/// <param name="IsLowRank">Whether it is a low-rank update of a linear layer and nothing else.</param>
/// <param name="CopiesInput">Whether it makes a copy of its input whatever its format.</param>
internal sealed record LayerRun(int First, int Last, EquatableArray<PlacedTensor> Tensors, long Own, long OfInput, bool IsLowRank, bool CopiesInput)
{
    /// <summary>How many places it takes of the site.</summary>
    public int Places => Last - First + 1;
}

/// <summary>A tensor an adapter adds at one site.</summary>
/// <param name="Name">Behind the module path.</param>
/// <param name="Shape">Its sizes.</param>
/// <param name="IsOwn">Whether it is the site's own weight or bias, which the backbone's numbers count; a tied weight that is trained parts from the embedding and is counted beside it.</param>
internal sealed record PlacedTensor(string Name, EquatableArray<long> Shape, bool IsOwn = false)
{
    /// <summary>Numbers in it.</summary>
    public long Count => Shape.Aggregate(1L, (product, size) => product * size);
}

/// <summary>A module trained whole.</summary>
internal sealed record SavedModule(SiteModel Site);
