using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>Modules named one by one that a role names as well.</summary>
internal static class SiteNameRules
{
    public static void Check(Annotation adapter, BackboneModel backbone, Findings findings)
    {
        EquatableArray<string> targets = adapter.Texts("TargetModules");
        if (adapter.Find("Sites") is not { Written: false } property || !targets.All(target => backbone.Sites.Any(site => ModuleNames.Names(site, target))))
            return;
        SiteModel[] named = [.. backbone.Sites.Where(site => targets.Any(target => ModuleNames.Names(site, target)))];
        long roles = Union(named);
        if (named.Length == 0 || backbone.Sites.Count(site => (site.Role & roles) != 0) != named.Length)
            return;
        string Sites(string type) => Roles.Expression(roles, Union(backbone.Sites), property.Members, type);
        findings.Add("FPO1021", Place.Of(adapter, "TargetModules"), new Suggestion(Sites(property.Type)), backbone.ModelType, Sites(TypeNames.Simple(property.Type)));
    }

    private static long Union(IEnumerable<SiteModel> sites) => sites.Aggregate(0L, (roles, site) => roles | site.Role);
}
