namespace FlatPO.Recipes.Generator.Rules;

/// <summary>How much a finding matters. Only an error keeps a recipe from being written.</summary>
internal enum Severity
{
    Error,
    Warning,
    Info,
}

/// <summary>The severity of every finding.</summary>
internal static class Severities
{
    private static readonly Dictionary<string, Severity> Milder = new()
    {
        ["FPO1009"] = Severity.Warning,
        ["FPO1012"] = Severity.Warning,
        ["FPO1021"] = Severity.Info,
        ["FPO2009"] = Severity.Warning,
        ["FPO2011"] = Severity.Warning,
        ["FPO3007"] = Severity.Warning,
    };

    /// <summary>The severity of an id: an error unless the table says otherwise.</summary>
    public static Severity Of(string id) => Milder.TryGetValue(id, out Severity severity) ? severity : Severity.Error;
}
