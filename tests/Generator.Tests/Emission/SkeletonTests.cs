using FlatPO.Recipes.Generator.Tests.Harness;

namespace FlatPO.Recipes.Generator.Tests.Emission;

/// <summary>While a recipe has errors, code that uses it sees no further ones.</summary>
public sealed class SkeletonTests
{
    private const string Caller = """
        using FlatPO.Recipes;
        using Specimens;

        public static class Caller
        {
            public static void Main()
            {
                using var opt = TinyOpt.Load("folder", settings: new TinyOpt.Settings { LearningRate = 0.1, Epochs = 2 });
                var report = opt.Train(new List<TokenExample>(), with: s => s with { Rho = 0.1, WarmupRatio = 0.2 });
                Console.WriteLine(opt.Adapters.Layers[3].SelfAttn.QProj.B.Name + TinyOpt.Plan.TrainableTensors + TinyOpt.Plan.TrainableParameters + TinyOpt.Plan.PerturbedTensors + TinyOpt.Plan.TotalParameters + TinyOpt.Plan.MemoryBytes + TinyOpt.Plan.Tensors.Count);
                Console.WriteLine(opt.Evaluate(new List<TokenExample>()).Accuracy);
                opt.SaveAdapter("a");
                opt.LoadAdapter("a");
                opt.Merge("b");
                using var vit = TinyVit.Load("folder");
                Console.WriteLine(vit.Predict(new List<ImageExample>()).Count);
            }
        }
        """;

    [Fact]
    public void A_caller_compiles_against_the_recipe() =>
        Assert.Equal("", string.Join('\n', Project.OfSpecimens("TinyOpt", "TinyVit").With(Caller).Generate().Complaints));

    [Theory]
    [InlineData("Golden/backbones/opt", "Golden/backbones/missing")]
    [InlineData("Rank = 4", "Rank = 0")]
    [InlineData("[AdamW(LearningRate = 0.002)]", "[AdamW(LearningRate = 0.002)]\n[Sgd]")]
    [InlineData("[Lora(Rank = 4, Alpha = 8)]", "")]
    [InlineData("[Backbone(\"Golden/backbones/opt\")]", "")]
    [InlineData("TaskType.CausalLM", "(TaskType)0")]
    public void The_same_caller_compiles_against_a_recipe_with_errors(string from, string to)
    {
        Project project = Project.OfSpecimens("TinyOpt", "TinyVit").With(Caller).Edited(from, to);
        Assert.Equal("", string.Join('\n', project.Generate().Complaints));
    }

    [Fact]
    public void Source_that_does_not_compile_never_throws()
    {
        foreach (string attributes in new[] { "[Backbone]", "[Backbone(null)]", "[Backbone(1)]", "[Lora(Rank = \"x\")]", "[Lora(Layers = null)]", "[Lora(TargetModules = null)]", "[Lora(TargetModules = [null])]", "[Nonsense]", "[FlatPO(Fraction = double.NaN)]", "[FlatPO(Selection = (SelectionRule)99)]", "[Lora(Sites = (Sites)4096)]" })
        {
            string source = $"using FlatPO.Recipes;\n[Recipe(TaskType.CausalLM)]\n[AdamW]\n{(attributes.Contains("Backbone", StringComparison.Ordinal) ? "" : "[Backbone(\"facebook/opt-125m\")]")}{(attributes.Contains("Lora", StringComparison.Ordinal) ? "" : "[Lora]")}{attributes}\npublic partial class R;";
            Generated generated = Project.Of(source).Generate();
            Assert.Null(generated.Result.Exception);
            Assert.DoesNotContain("#error", generated.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_truncated_attribute_never_throws() => Assert.Null(
        Project.Of("using FlatPO.Recipes; [Recipe(", "using FlatPO.Recipes; [Recipe] partial class A; [Recipe(99)] [Backbone(\"facebook/opt-125m\")] [Lora] [AdamW] partial class B;").Generate().Result.Exception);
}
