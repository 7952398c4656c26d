using FlatPO.Recipes.Generator.Tests.Harness;
using Microsoft.CodeAnalysis;

namespace FlatPO.Recipes.Generator.Tests.Diagnostics;

/// <summary>The mistakes users make most: each is one error of ours, under the argument, and the code that uses the recipe sees no second one.</summary>
public sealed class OneErrorTests
{
    private const string Right = """
        using FlatPO.Recipes;

        [Recipe(TaskType.CausalLM)]
        [Backbone("Qwen/Qwen2.5-1.5B")]
        [Lora(Rank = 8, Alpha = 16, Sites = Sites.Query | Sites.Value, Layers = "..")]
        [FlatPO(Rho = 0.05)]
        [AdamW(LearningRate = 1e-4)]
        [Training(MaxLength = 512)]
        public partial class Answers;

        public static class Program
        {
            public static void Main()
            {
                using var answers = Answers.Load("model");
                answers.Train(new List<TokenExample>(), with: s => s with { Rho = 0.1, MaxLength = 256 });
                Console.WriteLine(answers.Adapters.Layers[3].SelfAttn.QProj.B.Name + Answers.Plan.MemoryBytes);
                answers.SaveAdapter("adapter");
                answers.Merge("merged");
            }
        }
        """;

    [Fact]
    public void The_recipe_without_a_mistake_has_none()
    {
        Assert.Empty(Project.Of(Right).Analyze());
        Assert.Empty(Project.Of(Right).Generate().Complaints);
    }

    [Theory]
    [InlineData("Sites = Sites.Query | Sites.Value", "TargetModules = [\"q_porj\"]", "FPO1001", "\"q_porj\"")]
    [InlineData("Rank = 8, Alpha = 16", "Rank = 5000, Alpha = 16", "FPO1005", "5000")]
    [InlineData("Rho = 0.05", "Rho = -1", "FPO2001", "-1")]
    [InlineData("Layers = \"..\"", "Layers = \"40..50\"", "FPO1003", "\"40..50\"")]
    [InlineData("[FlatPO(Rho = 0.05)]", "[FlatPO(Rho = 0.05)]\n[Sam]", "FPO0006", "Sam")]
    [InlineData("\"Qwen/Qwen2.5-1.5B\"", "\"Qwen/Qwen2.5-1.5\"", "FPO0007", "\"Qwen/Qwen2.5-1.5\"")]
    [InlineData("TaskType.CausalLM", "TaskType.ImageClassification", "FPO0010", "TaskType.ImageClassification")]
    [InlineData("MaxLength = 512", "MaxLength = 512, DeviceMemory = 2", "FPO3008", "2")]
    [InlineData("MaxLength = 512", "MaxLength = 512, Precision = Precision.Float16", "FPO3015", "Precision.Float16")]
    [InlineData("Layers = \"..\"", "RankPattern = [\"v_proj=2\", \"v_proj:4\"]", "FPO1031", "\"v_proj:4\"")]
    [InlineData("Layers = \"..\"", "RankPattern = [\"v_proj=2.5\"]", "FPO1031", "\"v_proj=2.5\"")]
    [InlineData("Layers = \"..\"", "AlphaPattern = [\"v_(proj=4\"]", "FPO1031", "\"v_(proj=4\"")]
    [InlineData("Layers = \"..\"", "RankPattern = [\"v_proj=2\", \"up_proj=4\"]", "FPO1032", "\"up_proj=4\"")]
    [InlineData("Layers = \"..\"", "AlphaPattern = [\"layers.28.self_attn.q_proj=4\"]", "FPO1032", "\"layers.28.self_attn.q_proj=4\"")]
    [InlineData("Layers = \"..\"", "RankPattern = [\"v_proj=300\"]", "FPO1005", "\"v_proj=300\"")]
    [InlineData("Layers = \"..\"", "RankPattern = [\"v_proj=0\"]", "FPO1005", "\"v_proj=0\"")]
    [InlineData("Layers = \"..\"", "AlphaPattern = [\"v_proj=-1\"]", "FPO1006", "\"v_proj=-1\"")]
    [InlineData("Layers = \"..\"", "Towers = Towers.Vision", "FPO1023", "Towers.Vision")]
    public void A_mistake_is_one_error_at_its_argument(string from, string to, string id, string squiggle)
    {
        Project wrong = Project.Of(Right).Edited(from, to);
        Diagnostic found = Assert.Single(wrong.Analyze());
        Assert.Equal((id, DiagnosticSeverity.Error, squiggle), (found.Id, found.Severity, found.Location.SourceTree!.GetText().ToString(found.Location.SourceSpan)));
        if (id != "FPO0010") // another task has other examples, and the caller gives it the wrong ones
            Assert.Equal("", string.Join('\n', wrong.Generate().Complaints));
    }

    [Theory]
    [InlineData("", "take Precision.BFloat16, Precision.NF4 or a smaller backbone")]
    [InlineData(", Precision = Precision.BFloat16", "take Precision.NF4 or a smaller backbone")]
    [InlineData(", Precision = Precision.NF4", "take a smaller backbone")]
    public void A_backbone_that_does_not_fit_is_offered_the_smaller_formats(string format, string words)
    {
        Diagnostic found = Assert.Single(Project.Of(Right).Edited("MaxLength = 512", $"MaxLength = 512, DeviceMemory = 0.5{format}").Analyze());
        Assert.Equal("FPO3008", found.Id);
        Assert.Contains(words, found.GetMessage(System.Globalization.CultureInfo.InvariantCulture));
    }
}
