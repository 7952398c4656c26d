namespace FlatPO.Recipes.Generator.Model;

/// <summary>What an annotation's class says of its properties together: each is an attribute of Annotations/Declarations.</summary>
internal sealed record SettingChecks(EquatableArray<ConflictModel> Conflicts, EquatableArray<ConflictAtModel> ConflictsAt, EquatableArray<RatioModel> Ratios, EquatableArray<SubsetModel> Subsets, EquatableArray<BiasModel> Biases);

/// <summary>Two properties of which one at most may be set.</summary>
internal sealed record ConflictModel(string Id, string First, string Second, string Reason);

/// <summary>A property that may not be set where the adapter takes sites of these roles.</summary>
internal sealed record ConflictAtModel(string Id, string Property, long Roles, string Reason);

/// <summary>A quotient of two properties with a usual range.</summary>
/// <param name="Id">The diagnostic.</param>
/// <param name="Dividend">A property.</param>
/// <param name="Divisor">A property.</param>
/// <param name="Root">A boolean property under which the divisor's root is taken.</param>
/// <param name="AtLeast">NaN for none.</param>
/// <param name="AtMost">NaN for none.</param>
internal sealed record RatioModel(string Id, string Dividend, string Divisor, string? Root, double AtLeast, double AtMost);

/// <summary>A property whose flags must be among another's.</summary>
internal sealed record SubsetModel(string Id, string Part, string Whole);

/// <summary>A boolean property that wants sites with a bias.</summary>
internal sealed record BiasModel(string Id, string Property);
