using FlatPO.Recipes.Backbones;

namespace FlatPO.Recipes.Adapters;

/// <summary>Placement by role, as a recipe's <c>Sites</c> has it.</summary>
public static class PlacementByRole
{
    /// <summary>
    /// Places the method at every site that plays one of the roles and has something it trains, in all layers and towers, and trains what it trains elsewhere. Throws
    /// FPO1025 for a backbone of another task, FPO1002 where no site plays a role, FPO1050 for a site that the method does not take and FPO1051 where it would train nothing.
    /// </summary>
    public static void PlaceAtAll(this AdapterPlacement placement, AdapterMethod method, Sites roles)
    {
        WeightTable weights = placement.Backbone.Weights;
        MethodTasks.Check(method, placement.Backbone);
        Site[] named = [.. weights.AllSites.Where(site => (site.Role & roles) != 0)], taken = [.. named.Where(method.Trains)];
        if (named.Length == 0)
            throw new RecipeException("FPO1002", $"the {weights.Config.ModelType} backbone has no site {roles}; it has {weights.AllSites.Aggregate(Sites.None, (all, site) => all | site.Role)}");
        if (taken.Length == 0)
            throw AdapterMethod.Nothing(method, named[0]);
        foreach (Site site in taken)
            placement.Place(method, site);
        foreach (Site site in weights.AllSites.Where(site => !site.IsTaken))
            placement.TrainElsewhere(method, site.Module);
    }
}
