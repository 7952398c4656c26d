using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>Where an adapter sits.</summary>
internal static class PlacementRules
{
    /// <summary>The adapter at its sites, or null with findings.</summary>
    public static AdapterModel? Resolve(Annotation adapter, BackboneModel backbone, Findings findings)
    {
        (int First, int Last)? layers = Layers(adapter, backbone, findings);
        SiteModel[] sites = adapter.Texts("TargetModules").Count > 0 ? ByModule(adapter, backbone, findings) : ByRole(adapter, backbone, findings);
        if (layers is not { } range || sites.Length == 0)
            return null;
        BoundsRules.CheckAtSites(adapter, sites, findings);
        return new AdapterModel(adapter, range.First, range.Last, AccessorNames.Assign(sites, site => TensorSizes(adapter, site)));
    }

    private static SiteModel[] ByModule(Annotation adapter, BackboneModel backbone, Findings findings)
    {
        EquatableArray<string> targets = adapter.Texts("TargetModules");
        if (adapter.Find("Sites") is { Written: true, Value: { } sites } ignored)
            findings.Add("FPO1012", Place.Of(adapter, "Sites"), Roles.Describe((long)sites.Number, ignored.Members));
        for (int i = 0; i < targets.Count; i++)
            if (!backbone.Sites.Any(site => ModuleNames.Names(site, targets[i])))
                findings.Add("FPO1001", Place.Of(adapter, "TargetModules", i), backbone.ModelType, targets[i], ModuleNames.Nearest(backbone, targets[i]), ModuleNames.List(backbone));
        return [.. backbone.Sites.Where(site => targets.Any(target => ModuleNames.Names(site, target)))];
    }

    private static SiteModel[] ByRole(Annotation adapter, BackboneModel backbone, Findings findings)
    {
        PropertyValue? property = adapter.Find("Sites");
        EquatableArray<EnumMember> members = property?.Members ?? [];
        long wanted = (long)adapter.Number("Sites");
        long offered = backbone.Sites.Aggregate(0L, (roles, site) => roles | site.Role);
        if ((wanted & offered) == 0)
            findings.Add("FPO1002", Place.Of(adapter, "Sites"), backbone.ModelType, Roles.Describe(wanted, members), Roles.Describe(offered, members));
        else if ((wanted & ~offered & ~Roles.InNamedUnions(wanted, members)) is var absent and not 0)
            findings.Add("FPO1009", Place.Of(adapter, "Sites"), backbone.ModelType, Roles.Describe(absent, members), Roles.Describe(wanted & offered, members));
        return [.. backbone.Sites.Where(site => (site.Role & wanted) != 0)];
    }

    private static (int First, int Last)? Layers(Annotation adapter, BackboneModel backbone, Findings findings)
    {
        string text = adapter.Find("Layers")?.Value?.Text ?? "..";
        Place place = Place.Of(adapter, "Layers");
        if (LayerRange.Parse(text) is not { } range)
        {
            findings.Add("FPO1004", place, text);
            return null;
        }
        int start = range.Start.In(backbone.Layers), end = range.End.In(backbone.Layers);
        if (start >= 0 && start < end && end <= backbone.Layers)
            return (start, end - 1);
        findings.Add("FPO1003", place, text, start >= end ? "is empty" : "reaches beyond them", $"{backbone.Layers}");
        return null;
    }

    private static EquatableArray<long> TensorSizes(Annotation adapter, SiteModel site) =>
        [.. adapter.Tensors.Select(tensor => tensor.Shape.Aggregate(1L, (product, size) => product * Dimension(size, adapter, site)))];

    private static long Dimension(string expression, Annotation adapter, SiteModel site)
    {
        double? size = SizeExpression.Evaluate(expression, key => key switch
        {
            "in" => site.In,
            "out" => site.Out,
            _ => adapter.Find(key)?.Value?.Number,
        }).Value;
        return (long)(size ?? 0);
    }
}
