namespace FlatPO.Recipes.Generator.Model;

/// <summary>Parts of qualified type names.</summary>
internal static class TypeNames
{
    /// <summary><c>LoraPair</c> of <c>global::FlatPO.Recipes.Adapters.Lora.LoraPair</c>; type arguments are left out.</summary>
    public static string Simple(string qualified)
    {
        int generics = qualified.IndexOf('<');
        string path = generics < 0 ? qualified : qualified.Substring(0, generics);
        return path.Substring(Math.Max(path.LastIndexOf('.'), path.LastIndexOf(':')) + 1);
    }

    /// <summary>An attribute class's name as users write it.</summary>
    public static string WithoutAttribute(string name) =>
        name.EndsWith("Attribute", StringComparison.Ordinal) ? name.Substring(0, name.Length - "Attribute".Length) : name;

    /// <summary>The qualified name without its last part.</summary>
    public static string Qualifier(string qualified)
    {
        int generics = qualified.IndexOf('<');
        int end = (generics < 0 ? qualified : qualified.Substring(0, generics)).LastIndexOf('.');
        return end < 0 ? "" : qualified.Substring(0, end).Replace("global::", "");
    }
}
