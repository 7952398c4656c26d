using System.Text.Json.Nodes;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Backbones.Llama;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Checkpoints;

/// <summary>What a user sees who points a recipe at a folder that is not what it should be.</summary>
[Trait("Category", Golden.Category)]
public sealed class BadCheckpoints : IDisposable
{
    private const string Query = "model.layers.0.self_attn.q_proj.weight";

    private readonly TemporaryFolder folder = new TemporaryFolder().With(Golden.Backbone("llama"));
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();

    [Fact]
    public void A_missing_folder() => AssertFolderRefused("FPO4001", Path.Combine(folder.Path, "nowhere"), "there is no folder", "nowhere");

    [Fact]
    public void A_missing_config()
    {
        File.Delete(folder.File("config.json"));
        AssertRefused("FPO4001", "has no config.json");
    }

    [Fact]
    public void Missing_weights()
    {
        File.Delete(folder.File("model.safetensors"));
        AssertRefused("FPO4001", "neither model.safetensors nor model.safetensors.index.json", "case.safetensors, config.json");
    }

    [Theory]
    [InlineData("pytorch_model.bin")]
    [InlineData("consolidated.00.pth")]
    [InlineData("weights.pt")]
    public void Pickle_files_only(string name)
    {
        File.Move(folder.File("model.safetensors"), folder.File(name));
        AssertRefused("FPO4003", name, "save_pretrained", "model.safetensors");
    }

    [Fact]
    public void A_truncated_file()
    {
        using (FileStream file = File.OpenWrite(folder.File("model.safetensors")))
            file.SetLength(file.Length - 10);
        AssertRefused("FPO4002", "model.safetensors", "truncated", "tensor '");
    }

    [Fact]
    public void A_missing_tensor()
    {
        Rewrite(tensors => tensors.Remove(Query));
        AssertRefused("FPO4004", "missing: 1", Query, "nothing was loaded");
    }

    [Fact]
    public void An_unexpected_tensor()
    {
        Rewrite(tensors => tensors["model.extra"] = zeros(2, 3));
        AssertRefused("FPO4004", "unexpected: 1", "model.extra F32[2, 3] in model.safetensors; nearest expected is ");
    }

    [Fact]
    public void A_renamed_tensor_is_offered_as_the_nearest()
    {
        const string Renamed = "model.layers.0.self_attn.query_proj.weight";
        Rewrite(tensors =>
        {
            tensors[Renamed] = tensors[Query];
            tensors.Remove(Query);
        });
        AssertRefused("FPO4004", $"{Query}; nearest in the checkpoint is {Renamed}", "unexpected: 1");
    }

    [Fact]
    public void One_renamed_one_missing_and_one_too_many_are_one_error()
    {
        const string Renamed = "model.layers.0.self_attn.query_proj.weight";
        Rewrite(tensors =>
        {
            tensors[Renamed] = tensors[Query];
            tensors.Remove(Query);
            tensors.Remove("model.norm.weight");
            tensors["model.layers.1.mlp.gate_proj.scale"] = zeros(2);
        });
        AssertRefused(
            "FPO4004",
            $"missing: 2",
            $"{Query}; nearest in the checkpoint is {Renamed}",
            "model.norm.weight; nearest in the checkpoint is ",
            "unexpected: 2",
            $"in model.safetensors; nearest expected is {Query}",
            "model.layers.1.mlp.gate_proj.scale F32[2] in model.safetensors; nearest expected is ");
    }

    [Fact]
    public void A_wrong_shape()
    {
        long[] expected = [];
        Rewrite(tensors =>
        {
            expected = tensors[Query].shape;
            tensors[Query] = zeros(expected[0] + 1, expected[1]);
        });
        AssertRefused("FPO4004", "wrong shape: 1", $"{Query} in model.safetensors: expected [{expected[0]}, {expected[1]}], found [{expected[0] + 1}, {expected[1]}]");
    }

    [Fact]
    public void A_number_format_that_is_no_weight()
    {
        Rewrite(tensors => tensors[Query] = tensors[Query].to_type(ScalarType.Int64));
        AssertRefused("FPO4004", "allowed are F32, BF16, F16, F64", $"{Query} in model.safetensors: found I64");
    }

    [Fact]
    public void Everything_wrong_is_one_error()
    {
        Rewrite(tensors =>
        {
            tensors.Remove("model.norm.weight");
            tensors["one.more"] = zeros(1);
            tensors[Query] = zeros(1, 1);
            tensors["lm_head.weight"] = tensors["lm_head.weight"].to_type(ScalarType.Byte);
        });
        AssertRefused("FPO4004", "model.norm.weight", "one.more", "expected [", "found U8");
    }

    [Fact]
    public void An_unknown_model_type_lists_the_known_ones()
    {
        Configure(config => config["model_type"] = "mamba");
        AssertRefused("FPO4005", "config.json", "'mamba'", "'llama' (LlamaForCausalLM)", "'opt'", "'qwen2'", "'vit'");
    }

    [Fact]
    public void The_model_type_of_another_class()
    {
        Configure(config => config["model_type"] = "qwen2");
        var error = Assert.Throws<RecipeException>(() => BackboneLoader.Load(folder.Path, CPU, Precision.Float32, weights => new LlamaForCausalLM(weights)));
        Assert.Equal("FPO4005", error.Id);
        Assert.Contains("model_type is 'qwen2'; LlamaForCausalLM expects 'llama'", error.Message);
    }

    [Theory]
    [InlineData("hidden_size")]
    [InlineData("num_attention_heads")]
    [InlineData("rms_norm_eps")]
    public void A_missing_key(string key)
    {
        Configure(config => config.Remove(key));
        AssertRefused("FPO4006", "config.json", $"'{key}'");
    }

    [Fact]
    public void A_missing_shard()
    {
        Shard();
        File.Delete(folder.File("model-2.safetensors"));
        AssertRefused("FPO4001", "model.safetensors.index.json names model-2.safetensors", "missing");
    }

    [Fact]
    public void A_shard_outside_the_folder()
    {
        Shard();
        JsonNode index = JsonNode.Parse(File.ReadAllText(folder.File(Checkpoint.IndexFile)))!;
        index["weight_map"]![Query] = "../model.safetensors";
        File.WriteAllText(folder.File(Checkpoint.IndexFile), index.ToJsonString());
        AssertRefused("FPO4002", "'../model.safetensors'", "in the same folder");
    }

    [Fact]
    public void An_index_that_puts_a_tensor_into_the_wrong_shard()
    {
        Shard();
        JsonObject map = (JsonObject)JsonNode.Parse(File.ReadAllText(folder.File(Checkpoint.IndexFile)))!["weight_map"]!;
        map[Query] = (string)map[Query]! == "model-1.safetensors" ? "model-2.safetensors" : "model-1.safetensors";
        File.WriteAllText(folder.File(Checkpoint.IndexFile), new JsonObject { ["weight_map"] = map.DeepClone() }.ToJsonString());
        AssertRefused("FPO4002", Query, "does not have it");
    }

    [Fact]
    public void Shards_load_like_one_file()
    {
        using Backbone whole = BackboneLoader.Load(Golden.Backbone("llama"), CPU, Precision.Float32);
        Shard();
        using Backbone parts = BackboneLoader.Load(folder.Path, CPU, Precision.Float32);
        Assert.All(whole.Weights.All.Zip(parts.Weights.All), pair => Assert.Equal(0, Golden.LargestDifference(pair.First.Frozen, pair.Second.Frozen)));
    }

    [Fact]
    public void A_checkpoint_of_the_base_model_alone_loads_where_the_head_is_tied()
    {
        using TemporaryFolder bare = new TemporaryFolder().With(Golden.Backbone("qwen2"));
        RewriteFile(bare.File(Checkpoint.SingleFile), tensors =>
        {
            foreach (string name in tensors.Keys.ToArray())
                if (tensors.Remove(name, out Tensor? tensor))
                    tensors[name["model.".Length..]] = tensor;
            tensors["layers.0.self_attn.rotary_emb.inv_freq"] = zeros(3);
        });
        using Backbone backbone = BackboneLoader.Load(bare.Path, CPU, Precision.Float32);
        Assert.Equal("model.embed_tokens.weight", backbone.Weights.All[0].Name);
    }

    [Fact]
    public void A_copy_of_a_tied_head_is_ignored()
    {
        using TemporaryFolder tied = new TemporaryFolder().With(Golden.Backbone("opt"));
        RewriteFile(tied.File(Checkpoint.SingleFile), tensors => tensors["lm_head.weight"] = tensors["model.decoder.embed_tokens.weight"].clone());
        using Backbone backbone = BackboneLoader.Load(tied.Path, CPU, Precision.Float32);
        Assert.Same(backbone.Projection("lm_head").Weight.Frozen, backbone.Weights.All[0].Frozen);
        Assert.DoesNotContain(backbone.Weights.All, weight => weight.Name == "lm_head.weight");
    }

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    private void AssertRefused(string id, params string[] words) => AssertFolderRefused(id, folder.Path, words);

    private static void AssertFolderRefused(string id, string path, params string[] words)
    {
        var error = Assert.Throws<RecipeException>(() => BackboneLoader.Load(path, CPU, Precision.Float32));
        Assert.Equal(id, error.Id);
        Assert.All(words, word => Assert.Contains(word, error.Message));
    }

    private void Configure(Action<JsonObject> change)
    {
        var config = (JsonObject)JsonNode.Parse(File.ReadAllText(folder.File("config.json")))!;
        change(config);
        File.WriteAllText(folder.File("config.json"), config.ToJsonString());
    }

    private void Rewrite(Action<Dictionary<string, Tensor>> change) => RewriteFile(folder.File(Checkpoint.SingleFile), change);

    private static void RewriteFile(string path, Action<Dictionary<string, Tensor>> change)
    {
        Dictionary<string, Tensor> tensors;
        using (SafetensorsFile file = SafetensorsFile.Open(path))
            tensors = file.Entries.Keys.ToDictionary(name => name, name => file.Read(name));
        change(tensors);
        SafetensorsWriter.Write(path, tensors);
    }

    // Half of the tensors into each of two files, with an index as save_pretrained writes it.
    private void Shard()
    {
        JsonObject map = [];
        using (SafetensorsFile file = SafetensorsFile.Open(folder.File(Checkpoint.SingleFile)))
            for (int shard = 0; shard < 2; shard++)
            {
                string[] names = [.. file.Entries.Keys.Where((_, i) => i % 2 == shard)];
                foreach (string name in names)
                    map[name] = $"model-{shard + 1}.safetensors";
                SafetensorsWriter.Write(folder.File($"model-{shard + 1}.safetensors"), names.ToDictionary(name => name, name => file.Read(name)));
            }
        File.Delete(folder.File(Checkpoint.SingleFile));
        File.WriteAllText(folder.File(Checkpoint.IndexFile), new JsonObject { ["weight_map"] = map }.ToJsonString());
    }
}
