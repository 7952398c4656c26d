using System.Text.Json.Nodes;
using FlatPO.Recipes;
using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Tests;
using FlatPO.Recipes.Trainables;
using FlatPO.Recipes.Training;
using Specimens;
using static TorchSharp.torch;

namespace Recipes.Tests;

/// <summary>A recipe with two adapter methods.</summary>
public sealed class SeveralAdaptersTests
{
    [Fact]
    public void Both_are_planned_and_trained()
    {
        using Prompted recipe = Prompted.Load(Golden.Backbone("qwen2"), Devices.Cpu);
        TrainableTensor prompt = recipe.Adapters.Inputs.Embeddings, a = recipe.Adapters.Layers[1].SelfAttn.QProj.A;
        Assert.Equal(Prompted.Plan.Tensors[0].Name, prompt.Name);
        Assert.Equal(Prompted.Plan.TrainableTensors, Prompted.Plan.Tensors.Count);
        Tensor[] before = [prompt.Value.clone(), a.Value.clone()];
        TokenExample[] examples = Golden.Tokens(8);
        double loss = recipe.Evaluate(examples).Loss;

        TrainingReport report = recipe.Train(examples);

        Assert.InRange(recipe.Evaluate(examples).Loss, 0, 0.95 * loss);
        Assert.All(report.Steps, step => Assert.True(step.Perturbed.Count == Prompted.Plan.PerturbedTensors, $"{step.Perturbed.Count} tensors at step {step.Step}"));
        Assert.NotEqual(before[0].data<float>().ToArray(), prompt.Value.data<float>().ToArray());
        Assert.NotEqual(before[1].data<float>().ToArray(), a.Value.data<float>().ToArray());
    }

    [Fact]
    public void Each_is_saved_as_a_folder_of_pefts_own()
    {
        using TemporaryFolder folder = new();
        TokenExample[] examples = Golden.Tokens(6);
        using Prompted recipe = Prompted.Load(Golden.Backbone("qwen2"), Devices.Cpu), again = Prompted.Load(Golden.Backbone("qwen2"), Devices.Cpu);
        recipe.Train(examples, with: s => s with { Epochs = 3 });
        double trained = recipe.Evaluate(examples).Loss;

        recipe.SaveAdapter(folder.Path);
        again.LoadAdapter(folder.Path);

        Assert.Equal(trained, again.Evaluate(examples).Loss);
        Assert.Equal("LORA", TypeIn(folder.Path));
        Assert.Equal("PROMPT_TUNING", TypeIn(folder.File("prompt_tuning")));
        using Backbone bare = BackboneLoader.Load(Golden.Backbone("qwen2"), Devices.Cpu, Precision.Float32);
        AdapterPlacement placed = PeftFolder.Place(bare, folder.Path);
        Assert.Equal(Prompted.Plan.TrainableParameters, placed.Tensors.Sum(tensor => tensor.Count));
    }

    [Fact]
    public void A_text_goes_on_through_both()
    {
        using Prompted recipe = Prompted.Load(Golden.Backbone("qwen2"), Devices.Cpu);
        int[][] prompts = [[5, 6, 7, 8], [9, 10]];
        GenerationSettings settings = new() { MaxNewTokens = 5, StopIds = [] };
        Assert.Equal(recipe.Generate(prompts, settings).Select(found => found.Ids), recipe.Generate(prompts, settings with { BatchSize = 1 }).Select(found => found.Ids));
    }

    private static string TypeIn(string folder) => JsonNode.Parse(File.ReadAllText(Path.Combine(folder, AdapterConfig.FileName)))!["peft_type"]!.GetValue<string>();
}
