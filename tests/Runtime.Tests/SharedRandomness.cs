namespace FlatPO.Recipes.Tests;

/// <summary>Tests that seed libtorch's generator, which the whole process shares: they run alone.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class SharedRandomness
{
    public const string Name = "shared randomness";
}
