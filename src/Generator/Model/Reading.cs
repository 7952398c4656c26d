namespace FlatPO.Recipes.Generator.Model;

/// <summary>What is known beside the recipe's own source.</summary>
/// <param name="Families">Backbones the referenced assemblies and this one declare.</param>
/// <param name="Configs">config.json files shown to the compiler.</param>
internal sealed record Knowledge(EquatableArray<FamilyModel> Families, EquatableArray<ConfigFacts> Configs);

/// <summary>What one reading of a recipe yields: the generator takes the recipe or its skeleton, the analyzer the findings.</summary>
/// <param name="Recipe">Null if a finding is an error.</param>
/// <param name="Skeleton">What to emit then, so that the user's code sees no missing member; null where the class cannot take members.</param>
/// <param name="Findings">In the order of the rules.</param>
internal sealed record Reading(PlannedRecipe? Recipe, SkeletonModel? Skeleton, EquatableArray<Finding> Findings);

/// <summary>The members of a recipe that cannot be written.</summary>
internal sealed record SkeletonModel(TypeShell Shell, TaskRow Task, EquatableArray<SettingModel> Settings);
