using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>Modules named one by one that a role names as well.</summary>
internal static class SiteNameRules
{
    public static void Check(Annotation adapter, string modelType, SiteModel[] offered, Findings findings)
    {
        EquatableArray<string> targets = adapter.Texts("TargetModules");
        if (adapter.Find("Sites") is not { Written: false } property || targets.Any(ModuleNames.IsPattern) || !targets.All(target => offered.Any(site => ModuleNames.Names(site, target))))
            return;
        SiteModel[] named = [.. offered.Where(site => targets.Any(target => ModuleNames.Names(site, target)))];
        long roles = Union(named);
        if (named.Length == 0 || offered.Count(site => (site.Role & roles) != 0) != named.Length)
            return;
        string Sites(string type) => Roles.Expression(roles, Union(offered), property.Members, type);
        findings.Add("FPO1021", Place.Of(adapter, "TargetModules"), new Suggestion(Sites(property.Type)), modelType, Sites(TypeNames.Simple(property.Type)));
    }

    private static long Union(IEnumerable<SiteModel> sites) => sites.Aggregate(0L, (roles, site) => roles | site.Role);
}
