using FlatPO.Recipes.Generator.Model;
using Scriban.Runtime;

namespace FlatPO.Recipes.Generator.Emission;

/// <summary>One optimizer step: the lines in which a reader of the paper should recognise its algorithm.</summary>
internal static class StepSection
{
    public static string Render(RecipeModel recipe, Vocabulary vocabulary) => Columns.AlignComments(Templates.Render("step", vocabulary, new ScriptObject
    {
        ["heading"] = recipe.Sharpness is { } policy ? $"One {policy.Annotation.Name} step; nothing here reads a value back to the host" : "One step; nothing here reads a value back to the host",
        ["batch"] = vocabulary.Runtime(recipe.Task.Batch),
        ["selection"] = recipe.Sharpness is { } chosen ? Selection(chosen) : null,
        ["selection_comment"] = recipe.Sharpness is { } said ? SelectionComment(said) : null,
        ["climb"] = recipe.Sharpness is { } climbed ? Climb(climbed, vocabulary) : null,
        ["climb_comment"] = recipe.Sharpness is { } why ? ClimbComment(why) : null,
        ["clip_comment"] = recipe.Training is { } training && training.Number("MaxGradientNorm") > 0 ? "the gradient that is applied, scaled down to this norm" : "0 never clips",
        ["step_comment"] = recipe.Sharpness is null ? $"{recipe.Optimizer.Name} moves θ along the gradient" : $"{recipe.Optimizer.Name} moves θ along the gradient found at θ + ε",
    }));

    /// <summary>1 − f, in decimal so that 1 − 0.1 is 0.9.</summary>
    public static double Quantile(SharpnessModel sharpness) => (double)(1m - (decimal)sharpness.Fraction);

    private static string Selection(SharpnessModel sharpness) => sharpness.Selection switch
    {
        SelectionKind.All => "ranking.All()",
        SelectionKind.Quantile => $"ranking.AboveQuantile({Literal.Of(Quantile(sharpness))})",
        SelectionKind.Random => $"ranking.Random(count: {sharpness.Count}, window.Seed)",
        _ => $"ranking.Sharpest(count: {sharpness.Count})",
    };

    private static string SelectionComment(SharpnessModel sharpness)
    {
        string share = $"max(1, ⌊{Literal.Of(sharpness.Fraction)} · {sharpness.InScope}⌋) of the {sharpness.InScope} tensors in scope";
        return sharpness.Selection switch
        {
            SelectionKind.All => $"all {sharpness.InScope} tensors in scope",
            SelectionKind.Quantile => $"of the {sharpness.InScope} tensors in scope, those with ‖g‖ at or above that quantile",
            SelectionKind.Random => $"{share}, drawn from the seed and the step",
            _ => $"{share}: those with the largest ‖g‖",
        };
    }

    private static string Climb(SharpnessModel sharpness, Vocabulary vocabulary)
    {
        string arguments = "sharp, run.Rho";
        if (sharpness.Adaptive)
            arguments += $", metric: {vocabulary.Runtime("ClimbMetric")}.Adaptive";
        if (sharpness.NormOfSelected)
            arguments += $", normalization: {vocabulary.Runtime("Normalization")}.Selected";
        return arguments;
    }

    private static string ClimbComment(SharpnessModel sharpness)
    {
        string norm = sharpness.NormOfSelected ? "ₛ" : "";
        string climb = sharpness.Adaptive ? $"ε = ρ θ² ∘ g / ‖|θ| ∘ g‖{norm}" : $"ε = ρ g / ‖g‖{norm}";
        string where = sharpness.Selection == SelectionKind.All ? "" : " on the sharp ones";
        return $"θ + {climb.Substring("ε = ".Length)}{where}; leaving the scope restores θ bit for bit";
    }
}
