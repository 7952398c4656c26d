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

    [Theory]
    [InlineData("Rank = 40", "Rank = 41", 1)]
    [InlineData("// comment 40", "// another", 0)]
    [InlineData("=> 7", "=> 8", 0)]
    public void Of_a_hundred_recipes_only_the_edited_one_is_emitted(string from, string to, int emitted)
    {
        string[] recipes = [.. Enumerable.Range(1, 100).Select(i => $"using FlatPO.Recipes;\nnamespace Hundred;\n// comment {i}\n[Recipe(TaskType.CausalLM), Backbone(\"facebook/opt-125m\"), Lora(Rank = {i}), AdamW] public partial class Recipe{i};")];
        Project project = Project.Of([.. recipes, "namespace Hundred; public static class Ordinary { public static int Number() => 7; }"]);
        GeneratorRunResult result = project.Generate().Driver.RunGenerators(project.Edited(from, to).Compilation).GetRunResult().Results.Single();
        IncrementalStepRunReason[] files = [.. result.TrackedSteps[PipelineSteps.Files].SelectMany(run => run.Outputs).Select(output => output.Reason)];
        Assert.Equal(100, files.Length);
        Assert.Equal(emitted, files.Count(reason => reason == IncrementalStepRunReason.Modified));
        Assert.Equal(100 - emitted, files.Count(reason => reason == IncrementalStepRunReason.Cached));
    }

    [Fact]
    public void A_backbone_of_the_projects_own_is_seen_as_soon_as_it_is_declared()
    {
        const string Declared = "[assembly: DeclaresBackbone(typeof(EchoLM))]";
        Project before = Project.OfSpecimens("OwnParts").Edited(Declared, "");
        GeneratorDriver driver = before.Generate().Driver;
        Project after = before.Edited("namespace Specimens.OwnParts;", $"{Declared}\n\nnamespace Specimens.OwnParts;");
        Assert.Equal(after.Generate().Text, driver.RunGenerators(after.Compilation).GetRunResult().Results.Single().GeneratedSources.Single().SourceText.ToString());
        Assert.NotEqual(before.Generate().Text, after.Generate().Text);
    }

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
