using FlatPO.Recipes;
using FlatPO.Recipes.Adapters.Bottleneck;
using FlatPO.Recipes.Adapters.Ia3;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Adapters.Vera;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Tests;
using FlatPO.Recipes.Trainables;
using FlatPO.Recipes.Training;
using Specimens;
using Specimens.OwnParts;
using static TorchSharp.torch;

namespace Recipes.Tests;

/// <summary>Specimens as a user has them: declared, generated, loaded, trained, saved, merged.</summary>
public sealed class SpecimenTests
{
    [Fact]
    public void A_recipe_trains_what_its_plan_says_and_perturbs_as_many_tensors()
    {
        using TinyOpt recipe = TinyOpt.Load(Golden.Backbone("opt"), Devices.Cpu);
        TrainingReport report = recipe.Train(Golden.Tokens(12));
        Assert.Equal(15, report.Steps.Count); // 5 epochs of 3 windows of 4
        Assert.All(report.Steps, step => Assert.InRange(step.Perturbed.Count, TinyOpt.Plan.PerturbedTensors, TinyOpt.Plan.PerturbedTensors));
        Assert.All(report.Steps, step => Assert.True(step.Sharpness > 0, $"sharpness {step.Sharpness} at step {step.Step}: the climb goes uphill"));
        TrainableTensor[] tensors = [.. recipe.Adapters.Layers.SelectMany(layer => (TrainableTensor[])[layer.SelfAttn.QProj.A, layer.SelfAttn.QProj.B, layer.SelfAttn.VProj.A, layer.SelfAttn.VProj.B])];
        Assert.Equal((TinyOpt.Plan.TrainableTensors, TinyOpt.Plan.TrainableParameters), (tensors.Length, tensors.Sum(tensor => tensor.Count)));
    }

    [Fact]
    public void Training_lowers_the_loss_and_one_run_may_override_the_settings()
    {
        using TinyOpt recipe = TinyOpt.Load(Golden.Backbone("opt"), Devices.Cpu);
        TokenExample[] examples = Golden.Tokens(8);
        double before = recipe.Evaluate(examples).Loss;
        TrainingReport report = recipe.Train(examples, with: s => s with { Epochs = 20, LearningRate = 5e-3 });
        Assert.Equal(40, report.Steps.Count);
        Assert.InRange(recipe.Evaluate(examples).Loss, 0, 0.9 * before);
    }

    [Fact]
    public void An_override_out_of_bounds_has_the_compilers_id()
    {
        using TinyOpt recipe = TinyOpt.Load(Golden.Backbone("opt"), Devices.Cpu);
        RecipeException error = Assert.Throws<RecipeException>(() => recipe.Train(Golden.Tokens(4), with: s => s with { Rho = -1 }));
        Assert.Equal("FPO2001", error.Id);
        Assert.Contains("-1", error.Message);
    }

    [Fact]
    public void A_typed_accessor_is_the_trained_tensor()
    {
        using TinyOpt recipe = TinyOpt.Load(Golden.Backbone("opt"), Devices.Cpu);
        TrainableTensor b = recipe.Adapters.Layers[2].SelfAttn.QProj.B;
        Assert.Equal("model.decoder.layers.2.self_attn.q_proj.lora_B.weight", b.Name);
        Assert.Equal(0, b.Value.abs().sum().item<float>());
        recipe.Train(Golden.Tokens(4), with: s => s with { Epochs = 1 });
        Assert.NotEqual(0, b.Value.abs().sum().item<float>());
    }

    [Fact]
    public void A_text_it_was_trained_on_is_the_one_it_generates()
    {
        using TinyLlama recipe = TinyLlama.Load(Golden.Backbone("llama"), Devices.Cpu);
        TokenExample text = Golden.Tokens(1)[0];
        int[] prompt = [.. text.InputIds.Take(4)], rest = [.. text.InputIds.Skip(4)];
        GenerationSettings greedily = new() { MaxNewTokens = rest.Length, StopIds = [] };
        Assert.NotEqual(rest, recipe.Generate([prompt], greedily)[0].Ids);

        recipe.Train([text], with: s => s with { Epochs = 300, LearningRate = 5e-3 });

        Assert.InRange(recipe.Evaluate([text]).Loss, 0, 0.1);
        Assert.Equal(rest, recipe.Generate([prompt], greedily)[0].Ids);
    }

    [Fact]
    public void A_saved_adapter_loads_back_and_a_merged_checkpoint_answers_the_same()
    {
        using TemporaryFolder folder = new();
        TokenExample[] examples = Golden.Tokens(6);
        using TinyOpt recipe = TinyOpt.Load(Golden.Backbone("opt"), Devices.Cpu);
        recipe.Train(examples);
        double trained = recipe.Evaluate(examples).Loss;
        recipe.SaveAdapter(folder.File("adapter"));
        recipe.Merge(folder.File("merged"));

        using TinyOpt again = TinyOpt.Load(Golden.Backbone("opt"), Devices.Cpu);
        Assert.NotEqual(trained, again.Evaluate(examples).Loss);
        again.LoadAdapter(folder.File("adapter"));
        Assert.Equal(trained, again.Evaluate(examples).Loss);
        using TinyOpt merged = TinyOpt.Load(folder.File("merged"), Devices.Cpu); // fresh adapters: B is zero
        Assert.Equal(trained, merged.Evaluate(examples).Loss, 1e-5);
    }

    [Fact]
    public void Merged_in_memory_a_recipe_answers_the_same_and_then_trains_on()
    {
        TokenExample[] examples = Golden.Tokens(6);
        using TinyOpt recipe = TinyOpt.Load(Golden.Backbone("opt"), Devices.Cpu);
        recipe.Train(examples);
        double trained = recipe.Evaluate(examples).Loss;
        int[][] prompts = [[5, 6, 7]];
        GenerationSettings settings = new() { MaxNewTokens = 8, StopIds = [] };
        int[] ids = [.. recipe.Generate(prompts, settings)[0].Ids];

        using (recipe.Merge())
        {
            Assert.Equal(trained, recipe.Evaluate(examples).Loss, 1e-5);
            Assert.Equal(ids, recipe.Generate(prompts, settings)[0].Ids);
            Assert.Equal("FPO4022", Assert.Throws<RecipeException>(() => recipe.Train(examples)).Id);
        }

        Assert.Equal(trained, recipe.Evaluate(examples).Loss);
        Assert.NotEmpty(recipe.Train(examples).Steps);
    }

    [Fact]
    public void Images_train_the_last_layers_and_a_whole_classifier()
    {
        using TinyVit recipe = TinyVit.Load(Golden.Backbone("vit"), Devices.Cpu);
        ImageExample[] images = Golden.Images(24);
        double before = recipe.Evaluate(images).Loss;
        recipe.Train(images, with: s => s with { Epochs = 15 });
        Assert.InRange(recipe.Evaluate(images).Loss, 0, 0.9 * before);
        Assert.Equal(images.Length, recipe.Predict(images).Count);
        Assert.Throws<ArgumentOutOfRangeException>(() => recipe.Adapters.Layers[0]);
    }

    [Fact]
    public void The_ablation_with_ASAM_and_accumulation_trains()
    {
        using TinyLlama recipe = TinyLlama.Load(Golden.Backbone("llama"), Devices.Cpu);
        TrainingReport report = recipe.Train(Golden.Tokens(8));
        Assert.Single(report.Steps); // one window of 4 micro-batches of 2
        Assert.Equal(TinyLlama.Plan.PerturbedTensors, report.Steps[0].Perturbed.Count);
        Assert.All(report.Steps[0].Perturbed, name => Assert.Matches("v_proj|down_proj", name));
    }

    [Fact]
    public void DoRA_trains_as_many_tensors_as_the_compiler_counted_and_merges()
    {
        using TemporaryFolder folder = new();
        TokenExample[] examples = Golden.Tokens(8);
        using DoraLlama recipe = DoraLlama.Load(Golden.Backbone("llama"), Devices.Cpu);
        TrainableTensor[] tensors = [.. recipe.Adapters.Layers.SelectMany(layer => (LoraPair[])[layer.SelfAttn.QProj, layer.SelfAttn.VProj, layer.Mlp.DownProj]).SelectMany(pair => pair.Tensors)];
        Assert.Equal((DoraLlama.Plan.TrainableTensors, DoraLlama.Plan.TrainableParameters), (tensors.Length, tensors.Sum(tensor => tensor.Count)));
        float before = recipe.Adapters.Layers[0].SelfAttn.QProj.Magnitude!.Value.sum().item<float>();
        Assert.All(recipe.Train(examples).Steps, step => Assert.Equal(DoraLlama.Plan.PerturbedTensors, step.Perturbed.Count));
        Assert.NotEqual(before, recipe.Adapters.Layers[0].SelfAttn.QProj.Magnitude!.Value.sum().item<float>());
        double trained = recipe.Evaluate(examples).Loss;
        recipe.Merge(folder.Path);
        using DoraLlama merged = DoraLlama.Load(folder.Path, Devices.Cpu);
        Assert.Equal(trained, merged.Evaluate(examples).Loss, 1e-5);
    }

    [Fact]
    public void IA3_trains_a_vector_a_site_of_the_shape_the_compiler_counted()
    {
        using TemporaryFolder folder = new();
        TokenExample[] examples = Golden.Tokens(8);
        using VectorLlama recipe = VectorLlama.Load(Golden.Backbone("llama"), Devices.Cpu);
        TrainableTensor[] tensors = [.. recipe.Adapters.Layers.SelectMany(layer => (Ia3Vector[])[layer.SelfAttn.KProj, layer.SelfAttn.VProj, layer.Mlp.DownProj]).Select(vector => vector.Vector)];
        Assert.Equal((VectorLlama.Plan.TrainableTensors, VectorLlama.Plan.TrainableParameters), (tensors.Length, tensors.Sum(tensor => tensor.Count)));
        double before = recipe.Evaluate(examples).Loss;
        recipe.Train(examples, with: s => s with { Epochs = 20 });
        double trained = recipe.Evaluate(examples).Loss;
        Assert.InRange(trained, 0, before - 0.01);
        recipe.SaveAdapter(folder.File("adapter"));
        recipe.Merge(folder.File("merged"));
        using VectorLlama again = VectorLlama.Load(Golden.Backbone("llama"), Devices.Cpu), merged = VectorLlama.Load(folder.File("merged"), Devices.Cpu);
        again.LoadAdapter(folder.File("adapter"));
        Assert.Equal(trained, again.Evaluate(examples).Loss);
        Assert.Equal(trained, merged.Evaluate(examples).Loss, 1e-5);
    }

    [Fact]
    public void VeRA_trains_two_vectors_a_site_and_merges()
    {
        using TemporaryFolder folder = new();
        TokenExample[] examples = Golden.Tokens(8);
        using VeraLlama recipe = VeraLlama.Load(Golden.Backbone("llama"), Devices.Cpu);
        TrainableTensor[] tensors = [.. recipe.Adapters.Layers.SelectMany(layer => (VeraVectors[])[layer.SelfAttn.QProj, layer.SelfAttn.VProj, layer.Mlp.DownProj]).SelectMany(vectors => (TrainableTensor[])[vectors.LambdaB, vectors.LambdaD])];
        Assert.Equal((VeraLlama.Plan.TrainableTensors, VeraLlama.Plan.TrainableParameters), (tensors.Length, tensors.Sum(tensor => tensor.Count)));
        double before = recipe.Evaluate(examples).Loss;
        TrainingReport report = recipe.Train(examples);
        Assert.Equal(10, report.Steps.Count);
        Assert.All(report.Steps, step => Assert.Equal(VeraLlama.Plan.PerturbedTensors, step.Perturbed.Count));
        double trained = recipe.Evaluate(examples).Loss;
        Assert.InRange(trained, 0, before - 0.01);
        recipe.SaveAdapter(folder.File("adapter"));
        recipe.Merge(folder.File("merged"));
        using VeraLlama again = VeraLlama.Load(Golden.Backbone("llama"), Devices.Cpu), merged = VeraLlama.Load(folder.File("merged"), Devices.Cpu);
        again.LoadAdapter(folder.File("adapter"));
        Assert.Equal(trained, again.Evaluate(examples).Loss);
        Assert.Equal(trained, merged.Evaluate(examples).Loss, 1e-5);
    }

    [Fact]
    public void Bottlenecks_train_behind_attention_and_feed_forward_block_and_have_no_merge()
    {
        using TemporaryFolder folder = new();
        TokenExample[] examples = Golden.Tokens(8);
        using NarrowOpt recipe = NarrowOpt.Load(Golden.Backbone("opt"), Devices.Cpu);
        Assert.IsNotAssignableFrom<IMergeable>(recipe);
        TrainableTensor[] tensors = [.. recipe.Adapters.Layers.SelectMany(layer => (BottleneckBlock[])[layer.SelfAttn.OutProj, layer.Fc2]).SelectMany(block => (TrainableTensor[])[block.DownWeight, block.DownBias, block.UpWeight, block.UpBias])];
        Assert.Equal((NarrowOpt.Plan.TrainableTensors, NarrowOpt.Plan.TrainableParameters), (tensors.Length, tensors.Sum(tensor => tensor.Count)));
        double before = recipe.Evaluate(examples).Loss;
        TrainingReport report = recipe.Train(examples);
        Assert.Equal(10, report.Steps.Count);
        Assert.All(report.Steps, step => Assert.Equal(NarrowOpt.Plan.PerturbedTensors, step.Perturbed.Count));
        double trained = recipe.Evaluate(examples).Loss;
        Assert.InRange(trained, 0, before - 0.01);
        recipe.SaveAdapter(folder.Path);
        using NarrowOpt again = NarrowOpt.Load(Golden.Backbone("opt"), Devices.Cpu);
        again.LoadAdapter(folder.Path);
        Assert.Equal(trained, again.Evaluate(examples).Loss);
    }

    [Fact]
    public void Without_a_policy_there_is_no_second_pass()
    {
        using PlainQwen recipe = PlainQwen.Load(Golden.Backbone("qwen2"), Devices.Cpu);
        Assert.All(recipe.Train(Golden.Tokens(8)).Steps, step => Assert.Null(step.PerturbedLoss));
    }

    [Fact]
    public void Parts_of_the_users_own_train_like_the_librarys()
    {
        using TemporaryFolder folder = new();
        File.Copy(Path.Combine(Golden.Folder, "..", "Specimens", "echo", "config.json"), folder.File("config.json"));
        SafetensorsWriter.Write(folder.File("model.safetensors"), Enumerable.Range(0, 2).ToDictionary(layer => $"blocks.{layer}.proj.weight", _ => randn(16, 16)));
        using OwnParts recipe = OwnParts.Load(folder.Path, Devices.Cpu);
        TokenExample[] examples = [.. Enumerable.Range(0, 8).Select(i => new TokenExample([.. Enumerable.Range(0, 6).Select(j => (i + j) % 16)]))];
        double before = recipe.Evaluate(examples).Loss;
        recipe.Train(examples, with: s => s with { Epochs = 20, LearningRate = 0.02 });
        Assert.True(recipe.Evaluate(examples).Loss < before);
        recipe.SaveAdapter(folder.File("adapter"));
        recipe.LoadAdapter(folder.File("adapter"));
    }

    [Fact]
    public void A_folder_of_another_model_than_compiled_for_is_one_error()
    {
        RecipeException error = Assert.Throws<RecipeException>(() => TinyOpt.Load(Golden.Backbone("llama"), Devices.Cpu));
        Assert.Equal("FPO4005", error.Id);
        Assert.Contains("llama", error.Message);
        Assert.Contains("opt", error.Message);
    }

    [Fact]
    public void A_folder_of_other_sizes_than_compiled_for_is_one_error_that_names_the_key()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.File("config.json"), File.ReadAllText(Path.Combine(Golden.Backbone("opt"), "config.json")).Replace("\"ffn_dim\": 96", "\"ffn_dim\": 80"));
        RecipeException error = Assert.Throws<RecipeException>(() => TinyOpt.Load(folder.Path, Devices.Cpu));
        Assert.Equal("FPO4007", error.Id);
        Assert.Contains("ffn_dim is 80, but the recipe was compiled for 96", error.Message);
    }
}
