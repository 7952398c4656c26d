using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>What is kept for backward where layers keep their inputs alone, and one at a time computes the rest anew.</summary>
internal static class RecomputedActivations
{
    /// <summary>Whether the recipe asks for it.</summary>
    public static bool AreAsked(Annotation? training) => training?.Find("Checkpointing") is { IsSet: true };

    /// <summary>The inputs of all layers of the towers, and all that the largest layer keeps. No logits are there any more when layers are run again: they leave <paramref name="logits"/> bytes.</summary>
    public static long Of(IReadOnlyCollection<TowerLayers> towers, long logits) =>
        towers.Sum(tower => tower.Outside + tower.Count * tower.Input) + Math.Max(0, towers.Select(tower => tower.LargestLayer).DefaultIfEmpty(0).Max() - logits);

    /// <summary>Width of what a tower's layers read: that of their first linear layer.</summary>
    public static long Width(BackboneModel backbone, TowerModel tower) =>
        backbone.Sites.FirstOrDefault(site => site is { InLayers: true, Kind: SiteKind.Linear } && backbone.TowerOf(site) == tower)?.In ?? 0;
}

/// <summary>Bytes that the layers of a tower keep for a micro-batch, from the first one that is differentiated.</summary>
/// <param name="Count">How many layers.</param>
/// <param name="Input">What one reads.</param>
/// <param name="All">What all of them keep, if they keep everything.</param>
/// <param name="LargestLayer">The most that one keeps.</param>
/// <param name="Outside">What is kept outside them.</param>
internal sealed record TowerLayers(long Count, long Input, long All, long LargestLayer, long Outside);
