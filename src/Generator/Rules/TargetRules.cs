using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>The sites an adapter names, by module or by role.</summary>
internal static class TargetRules
{
    /// <summary>How many whole paths a message shows.</summary>
    private const int ShownModules = 8;

    /// <summary>Whether the adapter says its sites by module.</summary>
    public static bool HasTargets(Annotation adapter) => adapter.Texts("TargetModules").Count > 0;

    /// <summary>The sites TargetModules names.</summary>
    public static SiteModel[] ByModule(Annotation adapter, BackboneModel backbone, SiteModel[] offered, Findings findings)
    {
        EquatableArray<string> targets = adapter.Texts("TargetModules");
        if (adapter.Find("Sites") is { Written: true, Value: { } sites } ignored)
            findings.Add("FPO1012", Place.Of(adapter, "Sites"), Roles.Describe((long)sites.Number, ignored.Members));
        for (int i = 0; i < targets.Count; i++)
        {
            Place place = Place.Of(adapter, "TargetModules", i);
            if (targets.Take(i).Contains(targets[i]))
                findings.Add("FPO1026", place, targets[i], "TargetModules");
            else if (!offered.Any(site => ModuleNames.Names(site, targets[i])) && !findings.Has(place))
                ReportUnknown(targets[i], place, backbone, offered, findings);
        }
        return [.. offered.Where(site => targets.Any(target => ModuleNames.Names(site, target)))];
    }

    /// <summary>The sites that play one of the roles of Sites.</summary>
    public static SiteModel[] ByRole(Annotation adapter, BackboneModel backbone, SiteModel[] offered, Findings findings)
    {
        EquatableArray<EnumMember> members = adapter.Find("Sites")?.Members ?? [];
        long wanted = (long)adapter.Number("Sites");
        long roles = offered.Aggregate(0L, (all, site) => all | site.Role);
        if (findings.Has(Place.Of(adapter, "Sites")))
            return [];
        if ((wanted & roles) == 0)
            findings.Add("FPO1002", Place.Of(adapter, "Sites"), backbone.ModelType, Roles.Describe(wanted, members), Roles.Describe(roles, members));
        else if ((wanted & ~roles & ~Roles.InNamedUnions(wanted, members)) is var absent and not 0)
            findings.Add("FPO1009", Place.Of(adapter, "Sites"), backbone.ModelType, Roles.Describe(absent, members), Roles.Describe(wanted & roles, members));
        return [.. offered.Where(site => (site.Role & wanted) != 0)];
    }

    private static void ReportUnknown(string target, Place place, BackboneModel backbone, SiteModel[] offered, Findings findings)
    {
        if (ModuleNames.IsPattern(target))
            findings.Add("FPO1022", place, backbone.ModelType, target, string.Join(", ", offered.Select(site => site.Module).Take(ShownModules)));
        else
            findings.Add("FPO1001", place, ModuleNames.Suggest(offered, target), backbone.ModelType, target, ModuleNames.Nearest(offered, target), ModuleNames.List(offered));
    }
}
