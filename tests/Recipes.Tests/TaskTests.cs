using FlatPO.Recipes;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Tests;
using Specimens;

namespace Recipes.Tests;

/// <summary>A recipe of each task that is neither next-token prediction nor image classification, as a user has it.</summary>
public sealed class TaskTests
{
    [Fact]
    public void Both_towers_learn_which_text_belongs_to_which_image()
    {
        using TwoTowers recipe = TwoTowers.Load(Golden.Backbone("clip"), Devices.Cpu);
        ImageTextExample[] pairs = Examples.Pairs(4);
        double before = recipe.Evaluate(pairs).Loss;
        Assert.All(recipe.Train(pairs).Steps, step => Assert.Equal(TwoTowers.Plan.PerturbedTensors, step.Perturbed.Count));
        Assert.InRange(recipe.Evaluate(pairs).Loss, 0, 0.9 * before);
        Assert.Equal("FPO3040", Assert.Throws<RecipeException>(() => recipe.Train(pairs, with: s => s with { BatchSize = 1 })).Id);
        Assert.Equal("text_model.encoder.layers.1.self_attn.q_proj.lora_A.weight", recipe.Adapters.Language.Layers[1].SelfAttn.QProj.A.Name);
        Assert.Equal("visual_projection.lora_B.weight", recipe.Adapters.Vision.VisualProjection.B.Name);
    }

    [Fact]
    public void Texts_are_classified_by_a_classifier_trained_whole()
    {
        using TemporaryFolder folder = new();
        using Verdicts recipe = Verdicts.Load(Golden.Backbone("roberta"), Devices.Cpu);
        SequenceExample[] texts = Examples.Texts(12);
        recipe.Train(texts);
        Assert.Equal(texts.Select(text => text.Label), recipe.Predict(texts));
        recipe.Merge(folder.Path);
        using Verdicts merged = Verdicts.Load(folder.Path, Devices.Cpu);
        Assert.Equal(recipe.Evaluate(texts).Loss, merged.Evaluate(texts).Loss, 1e-5);
    }

    [Fact]
    public void A_language_tower_learns_to_speak_of_images_within_the_budget()
    {
        using Captions recipe = Captions.Load(Golden.Backbone("qwen2_5_vl"), Devices.Cpu);
        MultimodalExample[] rows = Examples.Captions(4);
        double before = recipe.Evaluate(rows).Loss;
        Assert.All(recipe.Train(rows).Steps, step => Assert.All(step.Perturbed, name => Assert.StartsWith("model.language_model.", name, StringComparison.Ordinal)));
        Assert.InRange(recipe.Evaluate(rows).Loss, 0, 0.9 * before);
        Assert.Equal("FPO3030", Assert.Throws<RecipeException>(() => recipe.Train(rows, with: s => s with { MaxPixels = 2000 })).Id);
    }

    [Fact]
    public void A_run_is_held_to_the_rules_the_compiler_held_the_attributes_to()
    {
        using Captions recipe = Captions.Load(Golden.Backbone("qwen2_5_vl"), Devices.Cpu);
        Assert.Equal("FPO3016", Assert.Throws<RecipeException>(() => recipe.Train(Examples.Captions(1), with: s => s with { MaxLength = 20 })).Id);
        Assert.Equal("FPO3006", Assert.Throws<RecipeException>(() => recipe.Train(Examples.Captions(1), with: s => s with { MaxLength = 100_000 })).Id);
        Assert.Equal("FPO3018", Assert.Throws<RecipeException>(() => recipe.Train(Examples.Captions(1), with: s => s with { MaxPixels = -1 })).Id);
        Assert.Equal("FPO3006", Assert.Throws<RecipeException>(() => Captions.Load(Golden.Backbone("qwen2_5_vl"), Devices.Cpu, new Captions.Settings { MaxLength = 100_000 })).Id);
    }
}
