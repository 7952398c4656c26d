using System.Globalization;
using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>
/// What an annotation's class says of its properties together, whatever the annotation. A check that a user's own annotation declares under an id of its own is
/// reported under the library's id of the same kind.
/// </summary>
internal static class SettingCheckRules
{
    private const string Ratio = "FPO1015";
    private const string Conflict = "FPO1016";
    private const string Bias = "FPO1017";
    private const string Subset = "FPO1018";

    /// <summary>What can be judged without a site; last of all rules, since a value that is wrong by itself is not judged again beside another.</summary>
    public static void Check(Annotation annotation, Findings findings)
    {
        foreach (ConflictModel conflict in annotation.Checks.Conflicts)
            CheckConflict(annotation, conflict, findings);
        foreach (RatioModel ratio in annotation.Checks.Ratios)
            CheckRatio(annotation, ratio, findings);
        if (annotation.Texts("TargetModules").Count > 0)
            return; // then roles are not what chooses the sites
        foreach (SubsetModel subset in annotation.Checks.Subsets)
            CheckSubset(annotation, subset, (long)annotation.Number(subset.Whole), findings);
    }

    /// <summary>The sites at which a setting in force wants a bias that is not there, so that merging has no place for it.</summary>
    public static string[] WithoutBias(Annotation adapter, IEnumerable<SiteModel> sites) =>
        [.. adapter.Checks.Biases.SelectMany(wants => WithoutBias(adapter, wants, sites)).Distinct()];

    private static string[] WithoutBias(Annotation adapter, BiasModel wants, IEnumerable<SiteModel> sites) =>
        adapter.Find(wants.Property) is { IsSet: true } ? [.. sites.Where(site => !site.HasBias).Select(site => site.ShortName).Distinct()] : [];

    /// <summary>What depends on the sites an adapter takes.</summary>
    public static void CheckAtSites(Annotation adapter, IReadOnlyCollection<SiteModel> sites, Findings findings)
    {
        foreach (ConflictAtModel conflict in adapter.Checks.ConflictsAt)
            if (adapter.Find(conflict.Property) is { IsSet: true } set && sites.FirstOrDefault(site => (site.Role & conflict.Roles) != 0) is { } site)
                Report(findings, (conflict.Id, Conflict), Place.Of(adapter, set.Name), Shown(set), site.ShortName, conflict.Reason);
        foreach (BiasModel wants in adapter.Checks.Biases)
            if (!findings.Has(Place.Of(adapter, wants.Property)) && WithoutBias(adapter, wants, sites) is { Length: > 0 } without)
                Report(findings, (wants.Id, Bias), Place.Of(adapter, wants.Property), Shown(adapter.Find(wants.Property)!), string.Join(", ", without));
        if (adapter.Texts("TargetModules").Count == 0)
            return;
        foreach (SubsetModel subset in adapter.Checks.Subsets)
            CheckSubset(adapter, subset, sites.Aggregate(0L, (roles, site) => roles | site.Role), findings);
    }

    private static void CheckConflict(Annotation annotation, ConflictModel conflict, Findings findings)
    {
        if (annotation.Find(conflict.First) is not { IsSet: true } first || annotation.Find(conflict.Second) is not { IsSet: true } second)
            return;
        Place place = Place.Of(annotation, second.Written ? second.Name : first.Name);
        Report(findings, (conflict.Id, Conflict), place, Shown(second), Shown(first), conflict.Reason);
    }

    private static void CheckRatio(Annotation annotation, RatioModel ratio, Findings findings)
    {
        if (annotation.Find(ratio.Dividend) is not { Value: { } over } dividend || annotation.Find(ratio.Divisor) is not { Value.Number: > 0 and var under } divisor)
            return;
        if (new[] { dividend, divisor }.Any(property => findings.Has(Place.Of(annotation, property.Name))))
            return;
        bool root = ratio.Root is { } flag && annotation.IsSet(flag);
        double quotient = over.Number / (root ? Math.Sqrt(under) : under);
        if (!(quotient < ratio.AtLeast) && !(quotient > ratio.AtMost))
            return;
        string formula = $"{ratio.Dividend} / {(root ? "√" : "")}{ratio.Divisor} = {Text(over.Number)} / {(root ? "√" : "")}{Text(under)} = {quotient.ToString("0.####", CultureInfo.InvariantCulture)}";
        string range = double.IsNaN(ratio.AtMost) ? $"at least {Text(ratio.AtLeast)}" : double.IsNaN(ratio.AtLeast) ? $"at most {Text(ratio.AtMost)}" : $"{Text(ratio.AtLeast)} to {Text(ratio.AtMost)}";
        PropertyValue? unwritten = dividend.Written == divisor.Written ? null : dividend.Written ? divisor : dividend;
        string cause = unwritten is null ? "" : $"; {unwritten.Name} is not written and stays {Text(unwritten.Value!.Number)}";
        Report(findings, (ratio.Id, Ratio), Place.Of(annotation, divisor.Written ? divisor.Name : dividend.Name), formula, range, cause);
    }

    private static void CheckSubset(Annotation annotation, SubsetModel subset, long whole, Findings findings)
    {
        if (annotation.Find(subset.Part) is { Written: true, Value: { } value } part && ((long)value.Number & ~whole) is var outside and not 0)
            Report(findings, (subset.Id, Subset), Place.Of(annotation, subset.Part), subset.Part, Roles.Describe(outside, part.Members), subset.Whole, Roles.Describe(whole, part.Members));
    }

    /// <summary>Under the declared id where it is one of ours, else under its kind's with the declared one behind the message.</summary>
    private static void Report(Findings findings, (string Declared, string Kind) id, Place place, params string[] arguments)
    {
        bool isOurs = id.Declared.StartsWith("FPO", StringComparison.Ordinal);
        findings.Add(isOurs ? id.Declared : id.Kind, place, [.. arguments, isOurs ? "" : $" (declared as {id.Declared})"]);
    }

    /// <summary>A property as the attribute says it: <c>UseDora = true</c>.</summary>
    private static string Shown(PropertyValue property) => property.Value is not { } value ? property.Name : $"{property.Name} = " + value.Kind switch
    {
        ConstantKind.Boolean => value.Number != 0 ? "true" : "false",
        ConstantKind.Enum => property.Members.FirstOrDefault(member => member.Value == (long)value.Number)?.Name ?? Roles.Describe((long)value.Number, property.Members),
        ConstantKind.Text => value.Text,
        ConstantKind.Texts => string.Join(", ", value.Items),
        _ => Text(value.Number),
    };

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);
}
