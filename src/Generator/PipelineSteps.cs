namespace FlatPO.Recipes.Generator;

/// <summary>The names the pipeline's steps are tracked by.</summary>
internal static class PipelineSteps
{
    public const string Declarations = nameof(Declarations);
    public const string Families = nameof(Families);
    public const string Configs = nameof(Configs);
    public const string Knowledge = nameof(Knowledge);
    public const string Readings = nameof(Readings);
    public const string Files = nameof(Files);

    public static IReadOnlyList<string> All { get; } = [Declarations, Families, Configs, Knowledge, Readings, Files];
}
