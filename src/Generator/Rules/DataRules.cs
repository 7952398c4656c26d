using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>What a run feeds the backbone.</summary>
internal static class DataRules
{
    public static void Check(RecipeDeclaration declaration, BackboneModel backbone, Findings findings)
    {
        if (declaration.First(AnnotationKind.Training) is { } training && backbone.MaxLength is { } longest && training.Number("MaxLength") > longest)
            findings.Add("FPO3006", Place.Of(training, "MaxLength"), $"{(long)training.Number("MaxLength")}", backbone.Name, $"{longest}");
    }
}
