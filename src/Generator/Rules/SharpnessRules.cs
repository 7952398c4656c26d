using System.Globalization;
using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>The sharpness policy on the tensors a recipe really has.</summary>
internal static class SharpnessRules
{
    /// <summary>The policy, or null if the recipe has none or nothing is in its scope.</summary>
    public static SharpnessModel? Resolve(RecipeDeclaration declaration, AdapterModel adapter, Findings findings)
    {
        if (declaration.First(AnnotationKind.Sharpness) is not { } policy)
            return null;
        if (policy.Number("Rho") == 0)
            findings.Add("FPO2011", Place.Of(policy, "Rho"), policy.Name, declaration.First(AnnotationKind.Optimizer)?.Name ?? "its optimizer");
        long scope = (long)policy.Number("Scope");
        int inScope = adapter.Tensors.Where(entry => scope == 0 || (entry.Site.Site.Role & scope) != 0).Sum(entry => entry.Places);
        if (inScope == 0)
        {
            EquatableArray<EnumMember> members = policy.Find("Scope")?.Members ?? [];
            long adapted = adapter.Sites.Aggregate(0L, (roles, placed) => roles | placed.Site.Role);
            findings.Add("FPO2010", Place.Of(policy, "Scope"), policy.Name, Roles.Describe(scope, members), Roles.Describe(adapted, members));
            return null;
        }
        if (policy.Number("Adaptive") != 0 && policy.Find("Rho") is { Written: false, Value.Number: var rho })
            findings.Add("FPO2015", Place.Of(policy, "Adaptive"), rho.ToString("R", CultureInfo.InvariantCulture));
        SharpnessModel model = Count(policy, inScope);
        if (model is { Selection: SelectionKind.TopFraction or SelectionKind.Random, Count: 1 } && model.Fraction * inScope < 1 && inScope > 1)
            findings.Add("FPO2016", Place.Of(policy, "Fraction"), model.Fraction.ToString("R", CultureInfo.InvariantCulture), $"{inScope}", Math.Round(100.0 / inScope).ToString(CultureInfo.InvariantCulture));
        if (model is { Selection: SelectionKind.TopFraction or SelectionKind.Random, Fraction: < 1 } && model.Count == inScope)
            findings.Add("FPO2009", Place.Of(policy, "Fraction"), model.Fraction.ToString("R", CultureInfo.InvariantCulture), $"{inScope}");
        return model;
    }

    private static SharpnessModel Count(Annotation policy, int inScope)
    {
        SelectionKind selection = Selection(policy);
        double fraction = selection == SelectionKind.All ? 1 : policy.Number("Fraction");
        return new SharpnessModel
        {
            Annotation = policy,
            Selection = selection,
            Fraction = fraction,
            InScope = inScope,
            Count = Math.Max(1, (int)Math.Floor(fraction * inScope)),
            Adaptive = policy.Number("Adaptive") != 0,
            NormOfSelected = Member(policy, "Normalization") == "Selected",
        };
    }

    /// <summary>A policy without a Selection climbs along every tensor in scope.</summary>
    private static SelectionKind Selection(Annotation policy) =>
        Enum.TryParse(Member(policy, "Selection"), out SelectionKind selection) ? selection : SelectionKind.All;

    private static string? Member(Annotation policy, string property) =>
        policy.Find(property) is { Value: { } value } found ? found.Members.FirstOrDefault(member => member.Value == (long)value.Number)?.Name : null;
}
