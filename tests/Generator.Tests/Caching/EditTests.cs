using FlatPO.Recipes.Generator.Tests.Harness;
using Microsoft.CodeAnalysis;

namespace FlatPO.Recipes.Generator.Tests.Caching;

/// <summary>What runs again after an edit, step by step.</summary>
public sealed class EditTests
{
    [Fact]
    public void An_unrelated_edit_re_runs_nothing() => AssertReasons(
        Project.OfSpecimens("TinyOpt", "TinyVit"),
        project => project.With("namespace Specimens { public class Unrelated { public int Number => 1; } }"),
        (PipelineSteps.Declarations, [IncrementalStepRunReason.Unchanged, IncrementalStepRunReason.Unchanged]),
        (PipelineSteps.Readings, [IncrementalStepRunReason.Cached, IncrementalStepRunReason.Cached]),
        (PipelineSteps.Files, [IncrementalStepRunReason.Cached, IncrementalStepRunReason.Cached]));

    [Fact]
    public void A_moved_and_reformatted_recipe_is_the_same_recipe() => AssertReasons(
        Project.OfSpecimens("TinyOpt"),
        project => project.Edited("[Lora(Rank = 4, Alpha = 8)]", "// a comment\n\n[Lora(\n    Rank = 2 + 2,\n    Alpha = 8.0)]"),
        (PipelineSteps.Declarations, [IncrementalStepRunReason.Unchanged]),
        (PipelineSteps.Files, [IncrementalStepRunReason.Cached]));

    [Fact]
    public void An_edit_of_one_recipe_emits_one_file() => AssertReasons(
        Project.OfSpecimens("TinyOpt", "TinyVit"),
        project => project.Edited("Rank = 4", "Rank = 3"),
        (PipelineSteps.Files, [IncrementalStepRunReason.Modified, IncrementalStepRunReason.Cached]));

    [Fact]
    public void A_config_that_no_recipe_names_emits_nothing() => AssertReasons(
        Project.OfSpecimens("TinyOpt"),
        project => project.Showing([.. project.Shown, new ShownFile("/elsewhere/config.json", "{}")]),
        (PipelineSteps.Readings, [IncrementalStepRunReason.Unchanged]),
        (PipelineSteps.Files, [IncrementalStepRunReason.Cached]));

    [Fact]
    public void A_new_width_of_the_backbone_emits_its_recipe_again()
    {
        string config = Repository.Read("tests/Golden/backbones/opt/config.json");
        AssertReasons(
            Project.OfSpecimens("TinyOpt"),
            project => project.Showing(new ShownFile("/src/tests/Golden/backbones/opt/config.json", config.Replace("\"ffn_dim\": 96", "\"ffn_dim\": 128"))),
            (PipelineSteps.Files, [IncrementalStepRunReason.Modified]));
    }

    private static void AssertReasons(Project before, Func<Project, Project> edit, params (string Step, IncrementalStepRunReason[] Reasons)[] expected)
    {
        Project after = edit(before);
        GeneratorDriver driver = before.Generate().Driver;
        if (after.Shown != before.Shown)
            driver = driver.ReplaceAdditionalTexts([.. after.Shown]);
        GeneratorRunResult result = driver.RunGenerators(after.Compilation).GetRunResult().Results.Single();
        foreach ((string step, IncrementalStepRunReason[] reasons) in expected)
            Assert.Equal(reasons, result.TrackedSteps[step].SelectMany(run => run.Outputs).Select(output => output.Reason));
    }
}
