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
        ["FPO1013"] = Severity.Warning,
        ["FPO1014"] = Severity.Warning,
        ["FPO1015"] = Severity.Warning,
        ["FPO1017"] = Severity.Warning,
        ["FPO1021"] = Severity.Info,
        ["FPO1026"] = Severity.Warning,
        ["FPO2009"] = Severity.Warning,
        ["FPO2011"] = Severity.Warning,
        ["FPO2012"] = Severity.Warning,
        ["FPO2013"] = Severity.Warning,
        ["FPO2014"] = Severity.Warning,
        ["FPO2015"] = Severity.Warning,
        ["FPO2016"] = Severity.Info,
        ["FPO3007"] = Severity.Warning,
        ["FPO3009"] = Severity.Warning,
        ["FPO3017"] = Severity.Warning,
        ["FPO3041"] = Severity.Warning,
    };

    /// <summary>The severity of an id: an error unless the table says otherwise.</summary>
    public static Severity Of(string id) => Milder.TryGetValue(id, out Severity severity) ? severity : Severity.Error;
}
