using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Emission;

/// <summary>A class of the emitted accessors: the recipe's set, a tower, a layer or a block of one. Its members are in parameter order.</summary>
internal sealed record AccessorClass(string Name, string Summary, AccessorScope Scope, IReadOnlyList<AccessorMember> Members);

/// <summary>What a class of the accessors is told when it is created.</summary>
internal enum AccessorScope
{
    /// <summary>The placement alone.</summary>
    Set,

    /// <summary>The adapter method too.</summary>
    Tower,

    /// <summary>The layer's number too.</summary>
    Layer,
}

/// <summary>Something that is placed when a class of the accessors is created.</summary>
/// <param name="Order">Where it stands among the backbone's modules.</param>
internal abstract record AccessorMember(int Order);

/// <summary>An adapter at one site.</summary>
internal sealed record SiteMember(int Order, string Name, PlacedSite Placed) : AccessorMember(Order);

/// <summary>Sites whose paths go on together.</summary>
internal sealed record BlockMember(int Order, string Name, AccessorClass Block) : AccessorMember(Order);

/// <summary>The layers of a tower.</summary>
internal sealed record LayersMember(int Order, PlacedTower Tower, AccessorClass Layer) : AccessorMember(Order);

/// <summary>A module trained whole, in so many layers; 0 outside them.</summary>
internal sealed record WholeMember(int Order, SiteModel Site, int Layers) : AccessorMember(Order);

/// <summary>What the adapter trains at a module that carries none, in so many layers.</summary>
internal sealed record ElsewhereMember(int Order, Annotation Adapter, SiteModel Site, LayerRun Run) : AccessorMember(Order);

/// <summary>The accessors of a recipe, by the structure of its backbone.</summary>
internal static class AccessorTree
{
    public static AccessorClass Of(RecipeModel recipe)
    {
        SiteModel[] modules = [.. recipe.Backbone.Sites];
        int Order(SiteModel site) => Array.IndexOf(modules, site);
        IEnumerable<AccessorMember> adapters = recipe.Backbone.Towers.Count == 1
            ? recipe.Adapter.Towers.SelectMany(tower => InTower(tower, recipe.Task.Layer, Order))
            : recipe.Adapter.Towers.Select(tower => TowerMember(tower, Order));
        IEnumerable<AccessorMember> whole = recipe.SavedModules
            .Select(saved => new WholeMember(Order(saved.Site), saved.Site, saved.Site.InLayers ? recipe.Backbone.Places(saved.Site) : 0));
        IEnumerable<AccessorMember> elsewhere = recipe.Adapter.Elsewhere.SelectMany(placed => placed.Runs.Select(run => new ElsewhereMember(Order(placed.Site), placed.Adapter, placed.Site, run)));
        return new AccessorClass("AdapterSet", "Every adapter of the recipe.", AccessorScope.Set, [.. Sorted(adapters.Concat(whole)), .. elsewhere]);
    }

    private static BlockMember TowerMember(PlacedTower tower, Func<SiteModel, int> order)
    {
        string name = tower.Tower.Name;
        AccessorMember[] members = Sorted(InTower(tower, $"{name}Layer", order));
        return new BlockMember(members[0].Order, name, new AccessorClass($"{name}Tower", $"The adapters of the {name.ToLowerInvariant()} tower.", AccessorScope.Tower, members));
    }

    private static IEnumerable<AccessorMember> InTower(PlacedTower tower, string layerClass, Func<SiteModel, int> order)
    {
        PlacedSite[] layered = [.. tower.InLayers];
        IEnumerable<AccessorMember> layers = layered.Length == 0 ? []
            : [new LayersMember(order(layered[0].Site), tower, new AccessorClass(layerClass, "The adapters of one layer.", AccessorScope.Layer, Sorted(Blocks(layered, 0, AccessorScope.Layer, order))))];
        return layers.Concat(Blocks(tower.Outside, 0, AccessorScope.Tower, order));
    }

    /// <summary>Sites whose path ends here, and blocks of those whose paths go on.</summary>
    private static IEnumerable<AccessorMember> Blocks(IEnumerable<PlacedSite> sites, int depth, AccessorScope scope, Func<SiteModel, int> order) =>
        from placed in sites
        group placed by placed.Path[depth] into block
        let first = block.First()
        select first.Path.Count == depth + 1
            ? new SiteMember(order(first.Site), block.Key, first)
            : (AccessorMember)new BlockMember(
                order(first.Site), block.Key, new AccessorClass($"{block.Key}Block", $"The adapters of {block.Key}.", scope, Sorted(Blocks(block, depth + 1, scope, order))));

    private static AccessorMember[] Sorted(IEnumerable<AccessorMember> members) => [.. members.OrderBy(member => member.Order)];
}
