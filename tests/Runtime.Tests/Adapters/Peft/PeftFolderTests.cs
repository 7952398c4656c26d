using System.Text.Json.Nodes;
using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Adapters.Peft;

/// <summary>Adapter folders that do not fit: one error that names the file, the tensor or setting and what was expected, and no number changed.</summary>
public sealed class PeftFolderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly Backbone backbone = BackboneLoader.Load(Golden.Backbone("opt"), Devices.Cpu, Precision.Float32);
    private readonly AdapterPlacement placement;
    private readonly Arena arena;

    public PeftFolderTests()
    {
        placement = new AdapterPlacement(backbone, seed: 1);
        LoraMethod lora = new() { Rank = 4, Alpha = 8 };
        foreach (Projection site in backbone.Weights.Projections.Where(site => (site.Role & (Sites.Query | Sites.Value)) != 0))
            placement.Place(lora, site.Module);
        arena = placement.BuildArena();
        placement.Save(folder.Path);
    }

    [Fact]
    public void What_was_saved_loads_back_bit_for_bit()
    {
        int[] before = arena.Values.Bits();
        using (no_grad())
            arena.Values.fill_(0);
        placement.Load(folder.Path);
        Assert.Equal(before, arena.Values.Bits());
    }

    [Fact]
    public void Layers_are_written_only_where_not_all_are_adapted()
    {
        Assert.Empty(AdapterConfig.Read(folder.Path).Integers("layers_to_transform"));
        using Backbone other = BackboneLoader.Load(Golden.Backbone("opt"), Devices.Cpu, Precision.Float32);
        AdapterPlacement some = new(other, seed: 1);
        LoraMethod lora = new() { Rank = 2 };
        foreach (Projection site in other.Weights.Projections.Where(site => site.Role == Sites.Key && site.Module.Contains(".layers.1.")))
            some.Place(lora, site.Module);
        some.Save(folder.Path);
        Assert.Equal([1], AdapterConfig.Read(folder.Path).Integers("layers_to_transform"));
        using Backbone third = BackboneLoader.Load(Golden.Backbone("opt"), Devices.Cpu, Precision.Float32);
        Assert.Equal(some.Tensors.Select(tensor => tensor.Name), PeftFolder.Place(third, folder.Path).Tensors.Select(tensor => tensor.Name));
    }

    [Theory]
    [InlineData("r", 5, "r is 5; expected 4")]
    [InlineData("lora_alpha", 3, "lora_alpha is 3; expected 8")]
    [InlineData("use_dora", true, "use_dora is true; expected false, as this adapter has it")]
    [InlineData("use_rslora", true, "use_rslora is true; expected false")]
    [InlineData("lora_bias", true, "lora_bias is true; expected false")]
    [InlineData("use_qalora", true, "use_qalora is true; expected nothing")]
    [InlineData("init_lora_weights", "pissa_niter_4", "init_lora_weights is \"pissa_niter_4\"; expected true or \"gaussian\"")]
    [InlineData("bias", "all", "bias is \"all\"; expected \"none\"")]
    [InlineData("bias", "lora_only", "bias is \"lora_only\"; expected \"none\"")]
    [InlineData("peft_type", "IA3", "peft_type is \"IA3\"; expected \"LORA\"")]
    public void A_setting_that_changes_the_result_is_an_error(string key, object value, string expected)
    {
        Edit(config => config[key] = JsonValue.Create(value));
        Fails("FPO4011", "adapter_config.json", expected);
    }

    [Fact]
    public void An_adapter_of_another_base_is_one_error_that_lists_the_shapes()
    {
        Rewrite(tensors => tensors.ToDictionary(pair => pair.Key, pair => pair.Key.EndsWith("lora_A.weight") ? zeros(4, 7) : pair.Value));
        Fails("FPO4010", "adapter_model.safetensors", "has shape [4, 7]; expected [4, ");
    }

    [Fact]
    public void A_renamed_tensor_is_one_error_that_lists_what_is_missing_and_what_is_unexpected()
    {
        Rewrite(tensors => tensors.ToDictionary(pair => pair.Key.Replace("layers.0.self_attn.q_proj", "layers.0.self_attn.q_porj"), pair => pair.Value));
        Fails("FPO4010", "missing 'base_model.model.model.decoder.layers.0.self_attn.q_proj.lora_A.weight'", "unexpected 'base_model.model.model.decoder.layers.0.self_attn.q_porj.lora_A.weight'");
    }

    [Fact]
    public void A_misshapen_tensor_does_not_hide_an_unexpected_one()
    {
        Rewrite(tensors => tensors.ToDictionary(pair => pair.Key, pair => pair.Key.EndsWith("layers.0.self_attn.q_proj.lora_A.weight") ? zeros(4, 7) : pair.Value).Append(new("extra", ones(1))).ToDictionary());
        Fails("FPO4010", "has shape [4, 7]; expected [4, ", "unexpected 'extra'");
    }

    [Fact]
    public void A_folder_without_an_adapter_is_an_error_that_says_what_it_should_hold()
    {
        File.Delete(folder.File("adapter_config.json"));
        Fails("FPO4001", "adapter_config.json", "adapter_model.safetensors");
    }

    [Fact]
    public void A_target_that_matches_nothing_is_an_error_that_lists_the_names()
    {
        Edit(config => config["target_modules"] = new JsonArray("q_porj"));
        using Backbone other = BackboneLoader.Load(Golden.Backbone("opt"), Devices.Cpu, Precision.Float32);
        RecipeException error = Assert.Throws<RecipeException>(() => PeftFolder.Place(other, folder.Path));
        Assert.Equal("FPO4011", error.Id);
        Assert.Contains("'q_porj' matches none of", error.Message);
        Assert.Contains("q_proj", error.Message);
    }

    [Fact]
    public void A_trained_head_that_is_tied_to_the_embedding_cannot_be_merged()
    {
        using TemporaryFolder merged = new();
        using Backbone tied = BackboneLoader.Load(Golden.Backbone("qwen2"), Devices.Cpu, Precision.Float32);
        AdapterPlacement head = new(tied, seed: 0);
        head.Place(new LoraMethod { Rank = 2 }, "lm_head");
        RecipeException error = Assert.Throws<RecipeException>(() => head.MergeInto(merged.Path));
        Assert.Equal("FPO4013", error.Id);
        Assert.Contains("lm_head", error.Message);
        Assert.Empty(Directory.GetFiles(merged.Path));
    }

    [Fact]
    public void A_rank_larger_than_the_layer_is_an_error_that_names_the_layer()
    {
        using Backbone other = BackboneLoader.Load(Golden.Backbone("opt"), Devices.Cpu, Precision.Float32);
        string module = other.Weights.Projections[0].Module;
        RecipeException error = Assert.Throws<RecipeException>(() => new AdapterPlacement(other, 0).Place(new LoraMethod { Rank = 5000 }, module));
        Assert.Equal("FPO1005", error.Id);
        Assert.Contains("5000", error.Message);
        Assert.Contains(module, error.Message);
    }

    [Fact]
    public void A_misspelt_module_offers_the_nearest()
    {
        string module = backbone.Weights.Projections[0].Module;
        RecipeException error = Assert.Throws<RecipeException>(() => placement.Place(new LoraMethod(), module.Replace("proj", "porj")));
        Assert.Equal("FPO1001", error.Id);
        Assert.Contains($"'{module}'", error.Message);
    }

    private void Fails(string id, params string[] words)
    {
        int[] before = arena.Values.Bits();
        RecipeException error = Assert.Throws<RecipeException>(() => placement.Load(folder.Path));
        Assert.Equal(id, error.Id);
        Assert.All(words, word => Assert.Contains(word, error.Message));
        Assert.Equal(before, arena.Values.Bits());
    }

    private void Edit(Action<JsonObject> edit)
    {
        string path = folder.File("adapter_config.json");
        JsonObject config = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        edit(config);
        File.WriteAllText(path, config.ToJsonString());
    }

    private void Rewrite(Func<Dictionary<string, Tensor>, Dictionary<string, Tensor>> change)
    {
        string path = folder.File("adapter_model.safetensors");
        Dictionary<string, Tensor> tensors;
        using (SafetensorsFile file = SafetensorsFile.Open(path))
            tensors = file.Entries.Keys.ToDictionary(name => name, name => file.Read(name).clone());
        SafetensorsWriter.Write(path, change(tensors));
    }

    public void Dispose()
    {
        arena.Dispose();
        backbone.Dispose();
        folder.Dispose();
    }
}
