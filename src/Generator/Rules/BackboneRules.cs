using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>From the name in [Backbone] to a network of known layers and sizes.</summary>
internal static class BackboneRules
{
    /// <summary>The backbone a recipe names, or null with a finding that says why not.</summary>
    public static BackboneModel? Resolve(RecipeDeclaration declaration, Knowledge knowledge, EquatableArray<ConfigFacts> catalogue, Findings findings)
    {
        if (declaration.First(AnnotationKind.Backbone) is not { Arguments: [{ } name, ..] } annotation)
            return null;
        Place place = Place.Of(annotation, "0");
        if (Find(name.Text, knowledge.Configs, catalogue) is not { } facts)
        {
            string folder = Folder(name.Text);
            findings.Add("FPO0007", place, Nearness.Close(name.Text, catalogue.Select(known => known.Path)) is { } close ? Suggestion.Of(close) : null, name.Text, folder, Nearness.Nearest(name.Text, catalogue.Select(known => known.Path)) ?? "none");
            return null;
        }
        if (facts.Error is { } error)
        {
            findings.Add("FPO0008", place, facts.Path, error);
            return null;
        }
        return Family(declaration, facts, knowledge.Families, place, findings) is { } family
            ? new SizedFamily(family, facts, RunSize.Of(declaration), new Reporting(place, findings)).Build(name.Text)
            : null;
    }

    private static ConfigFacts? Find(string name, EquatableArray<ConfigFacts> configs, EquatableArray<ConfigFacts> catalogue)
    {
        string path = $"/{Folder(name)}/config.json";
        return configs.Where(config => $"/{config.Path}".EndsWith(path, StringComparison.Ordinal)).OrderBy(config => config.Path.Length).FirstOrDefault()
            ?? catalogue.FirstOrDefault(known => known.Path == name);
    }

    private static string Folder(string name)
    {
        string folder = name.Replace('\\', '/').TrimEnd('/');
        return folder.StartsWith("./", StringComparison.Ordinal) ? folder.Substring(2) : folder;
    }

    private static FamilyModel? Family(RecipeDeclaration declaration, ConfigFacts facts, EquatableArray<FamilyModel> families, Place place, Findings findings)
    {
        if (facts.Find("model_type")?.Text is not { Length: > 0 } modelType)
        {
            findings.Add("FPO0008", place, facts.Path, "the key 'model_type' is missing");
            return null;
        }
        FamilyModel[] ofType = [.. families.Where(family => family.ModelType == modelType)];
        if (ofType.Length == 0)
            findings.Add("FPO0009", place, facts.Path, modelType, Listed(families.Select(family => family.ModelType)));
        else if (!ofType.Any(family => family.Task == declaration.Task))
            findings.Add("FPO0010", Place.Of(declaration.First(AnnotationKind.Recipe)!, "0"), modelType, TaskTable.NameOf(declaration.Task), Listed(ofType.Select(family => TaskTable.NameOf(family.Task))));
        return ofType.FirstOrDefault(family => family.Task == declaration.Task);
    }

    private static string Listed(IEnumerable<string> names)
    {
        string list = string.Join(", ", names.Distinct().OrderBy(name => name, StringComparer.Ordinal));
        return list.Length == 0 ? "none" : list;
    }
}
