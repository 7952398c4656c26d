using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>Which layers of a tower carry adapters.</summary>
internal static class LayerRules
{
    /// <summary>The first and last adapted layer; null with a finding where a range does not exist or two adapters in the layers have different ones.</summary>
    public static (int First, int Last)? Range((Annotation Adapter, SiteModel[] Sites)[] taken, TowerModel tower, Findings findings)
    {
        (int First, int Last)? common = null;
        foreach ((Annotation adapter, SiteModel[] sites) in taken)
        {
            if (Range(adapter, tower, findings) is not { } own)
                return null;
            if (!sites.Any(site => site.InLayers))
                continue;
            if (common is { } other && other != own)
            {
                findings.Add("FPO1056", Place.Of(adapter, "Layers"), adapter.Name, Words(own), Words(other));
                return null;
            }
            common = own;
        }
        return common ?? (0, tower.Layers - 1);
    }

    private static (int First, int Last)? Range(Annotation adapter, TowerModel tower, Findings findings)
    {
        string text = adapter.Find("Layers")?.Value?.Text ?? "..";
        if (LayerRange.Parse(text) is not { } range)
        {
            findings.Add("FPO1004", Place.Of(adapter, "Layers"), text);
            return null;
        }
        (int start, int end) = (range.Start.In(tower.Layers), range.End.In(tower.Layers));
        if (start >= 0 && start < end && end <= tower.Layers)
            return (start, end - 1);
        findings.Add("FPO1003", Place.Of(adapter, "Layers"), Suggestion.Of(range.MovedInto(tower.Layers)), text, start >= end ? "is empty" : "reaches beyond them", $"{tower.Layers} layers{tower.InWords("its")}");
        return null;
    }

    private static string Words((int First, int Last) range) => $"{range.First} to {range.Last}";
}
