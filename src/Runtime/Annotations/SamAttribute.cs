namespace FlatPO.Recipes;

/// <summary>SAM (Foret et al., 2021): climb along every tensor in scope. Equal to FlatPO with a fraction of 1, bit for bit.</summary>
public sealed class SamAttribute : SharpnessAttribute;
