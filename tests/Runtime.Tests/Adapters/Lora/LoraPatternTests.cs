using System.Text.Json.Nodes;
using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Native;

namespace FlatPO.Recipes.Tests.Adapters.Lora;

/// <summary>Ranks and scales that differ from module to module, as peft's rank_pattern and alpha_pattern mean them.</summary>
public sealed class LoraPatternTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    [Theory]
    [InlineData("model.layers.1.mlp.up_proj", 6, "layers.1.mlp.up_proj=6", "up_proj=2")] // the first that means the module counts
    [InlineData("model.layers.1.mlp.up_proj", 2, "up_proj=2", "layers.1.mlp.up_proj=6")]
    [InlineData("model.layers.0.mlp.up_proj", 2, "layers.1.mlp.up_proj=6", "up_proj=2")]
    [InlineData("model.layers.0.mlp.gate_proj", 4, "up_proj=2", "proj=3")] // a name begins where a part of the path does
    [InlineData("model.layers.0.mlp.gate_proj", 3, @".*\.(gate|down)_proj=3")]
    [InlineData("model.layers.0.mlp.gate_proj", 4, "model=2", "model.layers=3", "mlp.gate=5")] // and ends where the path does
    [InlineData("model.layers.0.self_attn.q_proj", 5, @"^model\.layers\.\d\.self_attn\.q_proj=5")]
    [InlineData("model.layers.0.self_attn.q_proj", 7, "[^o]_proj=7")]
    [InlineData("model.layers.0.self_attn.q_proj", 7, "(?=q)q_proj=7")] // the number stands behind the last sign
    public void A_module_has_the_number_of_the_first_entry_that_means_it(string module, int rank, params string[] entries)
    {
        using Backbone backbone = BackboneLoader.Load(Golden.Backbone("qwen3"), Devices.Cpu, Precision.Float32);
        LoraMethod method = new() { Rank = 4, Alpha = 8, RankPattern = entries };
        Projection site = backbone.Projection(module);
        LoraPair pair = new AdapterPlacement(backbone, seed: 1).Place(method, module);
        Assert.Equal((rank, 8.0 / rank), (method.RankAt(site), pair.Scaling));
        Assert.Equal([rank, site.In], pair.A.Shape);
        Assert.Equal([site.Out, rank], pair.B.Shape);
    }

    [Fact]
    public void Both_patterns_and_the_root_of_the_rank_make_the_scale()
    {
        using Tried adapted = new(new LoraMethod { Rank = 4, Alpha = 8, UseRslora = true, RankPattern = ["up_proj=9"], AlphaPattern = ["up_proj=6", "q_proj=2"] }, "qwen3");
        Assert.All(adapted.Placement.AtLinearLayers, pair => Assert.Equal(pair.Site.Role switch { Sites.Up => 2, Sites.Query => 1, _ => 4 }, ((LoraPair)pair.Layer).Scaling, 1e-12));
    }

    [Fact]
    public void Patterns_come_back_from_a_folder_and_fit_whatever_comes_to_the_same()
    {
        using Tried adapted = new(new LoraMethod { Rank = 4, Alpha = 8, RankPattern = ["up_proj=2"], AlphaPattern = ["up_proj=2.5", "q_proj=16"] }, "qwen3");
        adapted.Placement.Save(folder.Path);
        AdapterConfig config = AdapterConfig.Read(folder.Path);
        Assert.Equal([new("up_proj", 2)], config.Numbers("rank_pattern"));
        Assert.Equal([new("up_proj", 2.5), new("q_proj", 16)], config.Numbers("alpha_pattern"));
        Edit(config => config["rank_pattern"] = new JsonObject { ["mlp.up_proj"] = 2, ["nothing"] = 7 });
        adapted.Placement.Load(folder.Path);
        Edit(config => config["rank_pattern"] = new JsonObject { ["up_proj"] = 3 });
        Fails("FPO4011", "rank_pattern is {\"up_proj\":3}; expected 2 at model.layers.0.mlp.up_proj, the rank of this adapter");
        Edit(config => config["rank_pattern"] = new JsonObject());
        Fails("FPO4011", "r is 4; expected 2 at model.layers.0.mlp.up_proj");

        void Fails(string id, string expected)
        {
            RecipeException error = Assert.Throws<RecipeException>(() => adapted.Placement.Load(folder.Path));
            Assert.Equal(id, error.Id);
            Assert.Contains(expected, error.Message);
        }
    }

    [Theory]
    [InlineData("FPO1031", "RankPattern: 'up_proj:4' is no name=number", "up_proj:4")]
    [InlineData("FPO1031", "RankPattern: '=4' is no name=number", "=4")]
    [InlineData("FPO1031", "RankPattern: '(up=4' is no name=number", "(up=4")]
    [InlineData("FPO1031", "the rank 2.5; a rank is a whole number", "up_proj=2.5")]
    [InlineData("FPO1005", "Rank = 0 is out of bounds at model.layers.0.mlp.up_proj", "up_proj=0")]
    [InlineData("FPO1005", "Rank = 4000 is out of bounds at model.layers.0.mlp.up_proj", "up_proj=4000")]
    public void An_entry_that_cannot_be_used_has_the_compilers_id(string id, string expected, string entry)
    {
        RecipeException error = Assert.Throws<RecipeException>(() => new Tried(new LoraMethod { Rank = 4, RankPattern = [entry] }, "qwen3").Dispose());
        Assert.Equal(id, error.Id);
        Assert.Contains(expected, error.Message);
    }

    [Theory]
    [InlineData("{\"(q\":3}", "rank_pattern is {\"(q\":3}; expected names")]
    [InlineData("{\"q_proj\":\"3\"}", "rank_pattern is {\"q_proj\":\"3\"}; expected an object of numbers")]
    [InlineData("[\"q_proj\"]", "expected an object of numbers")]
    public void A_pattern_in_a_file_that_cannot_be_used_names_the_file(string pattern, string expected)
    {
        using Tried adapted = new(new LoraMethod { Rank = 4 }, "qwen3");
        adapted.Placement.Save(folder.Path);
        Edit(config => config["rank_pattern"] = JsonNode.Parse(pattern));
        using Backbone fresh = BackboneLoader.Load(Golden.Backbone("qwen3"), Devices.Cpu, Precision.Float32);
        RecipeException error = Assert.Throws<RecipeException>(() => PeftFolder.Place(fresh, folder.Path));
        Assert.Equal("FPO4011", error.Id);
        Assert.Contains(expected, error.Message);
    }

    [Theory]
    [InlineData("\"layers\"", true)]
    [InlineData("[\"blocks\", \"layers\"]", true)]
    [InlineData("[\"model.layers\"]", true)]
    [InlineData("[\"lay.rs\"]", true)]
    [InlineData("\"blocks\"", false)]
    public void Layers_are_counted_behind_the_name_that_layers_pattern_gives(string pattern, bool found)
    {
        using Tried adapted = new(new LoraMethod { Rank = 2 }, "qwen3", layer: ".layers.1.");
        adapted.Placement.Save(folder.Path);
        Edit(config => config["layers_pattern"] = JsonNode.Parse(pattern));
        using Backbone fresh = BackboneLoader.Load(Golden.Backbone("qwen3"), Devices.Cpu, Precision.Float32);
        if (found)
            Assert.Equal(adapted.Placement.Tensors.Select(tensor => tensor.Name), PeftFolder.Place(fresh, folder.Path).Tensors.Select(tensor => tensor.Name));
        else
            Assert.Equal("FPO4011", Assert.Throws<RecipeException>(() => PeftFolder.Place(fresh, folder.Path)).Id);
    }

    private void Edit(Action<JsonObject> change)
    {
        string path = folder.File(AdapterConfig.FileName);
        JsonObject config = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        change(config);
        File.WriteAllText(path, config.ToJsonString());
    }

    public void Dispose() => folder.Dispose();
}
