using System.Globalization;
using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>What a run feeds the backbone, and in which number format.</summary>
internal static class DataRules
{
    /// <summary>Its value in <c>Precision</c>.</summary>
    private const string Half = "Float16";

    /// <summary>What to take instead.</summary>
    private const string BrainHalf = "BFloat16";

    /// <summary>The tokens before and after an image's own.</summary>
    private const int MarksOfAnImage = 2;

    public static void Check(RecipeDeclaration declaration, BackboneModel backbone, Findings findings)
    {
        if (declaration.First(AnnotationKind.Training) is not { } training || TaskTable.Find(declaration.Task) is not { } task)
            return;
        CheckLength(training, backbone, task, findings);
        CheckImages(training, backbone, findings);
        CheckContrast(training, task, findings);
        if (training.Is("Precision", Half))
            findings.Add("FPO3015", Place.Of(training, "Precision"), new Suggestion($"{TypeNames.Simple(training.Find("Precision")!.Type)}.{BrainHalf}"));
    }

    private static void CheckLength(Annotation training, BackboneModel backbone, TaskRow task, Findings findings)
    {
        if ((long)training.Number("MaxLength") is not (> 0 and var length))
            return;
        if (!task.ReadsTokens)
            findings.Add("FPO3007", Place.Of(training, "MaxLength"), $"{length}", backbone.Name);
        else if (backbone.MaxLength is { } longest && length > longest)
            findings.Add("FPO3006", Place.Of(training, "MaxLength"), longest > 0 ? Suggestion.Of(longest) : null, $"{length}", backbone.Name, $"{longest}");
    }

    private static void CheckImages(Annotation training, BackboneModel backbone, Findings findings)
    {
        if ((long)training.Number("MaxPixels") is not (> 0 and var pixels))
            return;
        if (backbone.Towers.Select(tower => tower.PixelsPerToken).Max() is not (> 0 and var perToken))
        {
            findings.Add("FPO3017", Place.Of(training, "MaxPixels"), Text(pixels), backbone.Name);
            return;
        }
        long tokens = pixels / perToken + MarksOfAnImage, length = (long)training.Number("MaxLength");
        if (length > 0 && tokens > length)
            findings.Add("FPO3016", Place.Of(training, "MaxLength"), Suggestion.Of(tokens), Text(pixels), Text(tokens), Text(length));
    }

    private static void CheckContrast(Annotation training, TaskRow task, Findings findings)
    {
        if (!task.Contrasts)
            return;
        long batch = (long)training.Number("BatchSize"), windows = (long)training.Number("GradientAccumulation");
        if (batch == 1)
            findings.Add("FPO3040", Place.Of(training, "BatchSize"));
        else if (windows > 1)
            findings.Add("FPO3041", Place.Of(training, "GradientAccumulation"), Text(windows), Text(batch));
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
