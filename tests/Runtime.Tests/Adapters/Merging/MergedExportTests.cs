using System.Text.Json.Nodes;
using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.Ia3;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Adapters.Merging;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Trainables;
using TorchSharp;
using Xunit.Abstractions;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Adapters.Merging;

/// <summary>Merged checkpoints: proven before they are written, in one file or several, and what config.json says of them.</summary>
public sealed class MergedExportTests(ITestOutputHelper output) : IDisposable
{
    private const long ShardBytes = 64 << 10;

    private readonly TemporaryFolder folder = new();

    [Theory]
    [InlineData("opt"), InlineData("llama"), InlineData("qwen2")]
    public void Shards_load_and_give_the_adapted_logits(string backbone)
    {
        using Tried adapted = Moved(new LoraMethod { Rank = 4 }, backbone);
        adapted.Placement.MergeInto(folder.Path, ShardBytes);
        string[] shards = Shards();
        Assert.True(shards.Length > 1);
        Assert.Equal(Enumerable.Range(1, shards.Length).Select(number => $"model-{number:d5}-of-{shards.Length:d5}.safetensors"), shards);
        Assert.False(File.Exists(folder.File(Checkpoint.SingleFile)));
        using Backbone merged = BackboneLoader.Load(folder.Path, Devices.Cpu, Precision.Float32);
        Assert.InRange(Golden.LargestDifference(Tried.Logits(merged).detach(), adapted.Logits()), 0, 1e-4);
    }

    [Fact]
    public void The_index_lists_every_tensor_and_their_bytes()
    {
        using Tried adapted = Moved(new LoraMethod { Rank = 4 });
        adapted.Placement.MergeInto(folder.Path, ShardBytes);
        JsonObject index = JsonNode.Parse(File.ReadAllText(folder.File(Checkpoint.IndexFile)))!.AsObject();
        JsonObject map = index["weight_map"]!.AsObject();
        Assert.Equal(adapted.Backbone.Weights.All.Select(weight => weight.Name).Order(StringComparer.Ordinal), map.Select(entry => entry.Key));
        Assert.Equal(adapted.Backbone.Weights.All.Sum(weight => weight.Frozen.numel() * 4), index["metadata"]!["total_size"]!.GetValue<long>());
        foreach (string shard in Shards())
        {
            using SafetensorsFile file = SafetensorsFile.Open(folder.File(shard));
            Assert.Equal(map.Where(entry => entry.Value!.GetValue<string>() == shard).Select(entry => entry.Key).Order(StringComparer.Ordinal), file.Entries.Keys.Order(StringComparer.Ordinal));
            Assert.True(file.Entries.Count == 1 || file.Entries.Values.Sum(entry => entry.End - entry.Begin) <= ShardBytes, shard);
        }
    }

    [Fact]
    public void Another_export_leaves_no_weights_of_the_one_before()
    {
        using Tried adapted = Moved(new LoraMethod { Rank = 4 });
        File.WriteAllText(folder.File("model-of-mine.safetensors"), "not a shard");
        adapted.Placement.MergeInto(folder.Path, ShardBytes / 2);
        int many = Shards().Length;
        adapted.Placement.MergeInto(folder.Path, ShardBytes);
        Assert.InRange(Shards().Length, 2, many - 1);
        adapted.Placement.MergeInto(folder.Path);
        Assert.Equal([Checkpoint.SingleFile], Weights());
        adapted.Placement.MergeInto(folder.Path, ShardBytes);
        Assert.DoesNotContain(Checkpoint.SingleFile, Weights());
        Assert.True(File.Exists(folder.File("model-of-mine.safetensors")));
        using Backbone merged = BackboneLoader.Load(folder.Path, Devices.Cpu, Precision.Float32);
        Assert.InRange(Golden.LargestDifference(Tried.Logits(merged).detach(), adapted.Logits()), 0, 1e-4);
    }

    [Theory]
    [InlineData("dtype", "float16"), InlineData("torch_dtype", "float16"), InlineData("dtype", null), InlineData(null, null)]
    public void Config_says_the_format_the_weights_were_written_in(string? key, string? said)
    {
        using TemporaryFolder source = new TemporaryFolder().With(Golden.Backbone("llama"));
        JsonObject config = JsonNode.Parse(File.ReadAllText(source.File("config.json")))!.AsObject();
        config.Remove("dtype");
        config["note"] = "Grüße";
        if (key is not null)
            config[key] = said;
        config["tower_config"] = new JsonObject { ["dtype"] = "float16", ["width"] = 3 };
        File.WriteAllText(source.File("config.json"), config.ToJsonString());
        using (CausalLM backbone = (CausalLM)BackboneLoader.Load(source.Path, Devices.Cpu, Precision.BFloat16))
        {
            AdapterPlacement placement = new(backbone, seed: 1);
            placement.Place(new LoraMethod { Rank = 2 }, backbone.Weights.Projections[0].Module);
            placement.MergeInto(folder.Path);
        }
        JsonObject written = JsonNode.Parse(File.ReadAllText(folder.File("config.json")))!.AsObject();
        config[key ?? "torch_dtype"] = "bfloat16";
        config["tower_config"]!["dtype"] = "bfloat16";
        Assert.True(JsonNode.DeepEquals(config, written), written.ToJsonString());
        Assert.Contains("Grüße", File.ReadAllText(folder.File("config.json")));
        using SafetensorsFile file = SafetensorsFile.Open(folder.File(Checkpoint.SingleFile));
        Assert.All(file.Entries.Values, entry => Assert.Equal("BF16", entry.Format));
    }

    [Fact]
    public void Config_stays_byte_for_byte_where_it_says_so_already()
    {
        using Tried adapted = Moved(new LoraMethod { Rank = 2 });
        adapted.Placement.MergeInto(folder.Path);
        Assert.Equal(File.ReadAllBytes(adapted.Backbone.Config.Path), File.ReadAllBytes(folder.File("config.json")));
    }

    [Fact]
    public void A_merge_that_gives_another_model_is_refused_and_nothing_is_written()
    {
        using Tried adapted = new(new WrongMethod(), "opt");
        Tensor before = adapted.Logits();
        int[][] weights = [.. adapted.Backbone.Weights.All.Select(weight => weight.Frozen.reshape(-1).Bits())];
        RecipeException error = Assert.Throws<RecipeException>(() => adapted.Placement.MergeInto(folder.Path));
        Assert.Equal("FPO4015", error.Id);
        Assert.Contains("WRONG", error.Message);
        Assert.Contains(adapted.Backbone.Config.Path, error.Message);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
        Assert.Equal(before.Bits(), adapted.Logits().Bits());
        Assert.Equal(weights, adapted.Backbone.Weights.All.Select(weight => weight.Frozen.reshape(-1).Bits()));
    }

    [Fact]
    public void Numbers_beyond_the_format_are_refused()
    {
        using Tried adapted = new(new LoraMethod { Rank = 2, Alpha = 2 }, "llama", Precision.Float16, ".layers.0.mlp.up_proj");
        foreach (TrainableTensor tensor in adapted.Placement.Tensors)
            using (no_grad())
                tensor.Value.fill_(300); // 2 · 300 · 300 is no float16, while the branch is float32
        RecipeException error = Assert.Throws<RecipeException>(() => adapted.Placement.MergeInto(folder.Path));
        Assert.Equal("FPO4015", error.Id);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Theory]
    [InlineData("opt"), InlineData("llama"), InlineData("llama3"), InlineData("qwen2"), InlineData("qwen3"), InlineData("mistral")]
    [InlineData("vit"), InlineData("clip"), InlineData("bert"), InlineData("roberta"), InlineData("qwen2_5_vl"), Trait("Category", Golden.Category)]
    public void Every_backbone_proves_a_right_merge_and_refuses_a_wrong_one_in_every_format(string name)
    {
        foreach (Precision precision in (Precision[])[Precision.Float32, Precision.BFloat16])
        {
            using Backbone backbone = BackboneLoader.Load(Golden.Backbone(name), Devices.Cpu, precision);
            AdapterPlacement placement = new(backbone, seed: 5);
            Projection[] linear = [.. backbone.Weights.Projections.Where(site => (site.Role & Sites.AllLinear) != 0)];
            foreach (Projection site in linear)
                placement.Place(new LoraMethod { Rank = 4, Dropout = 0.5 }, site.Module);
            using Arena arena = placement.BuildArena();
            Move(arena);
            placement.Training = true; // the proof drops nothing all the same
            using Tensor probe = Probe(backbone, arena);
            Assert.True(probe.numel() > 1);
            placement.MergeInto(folder.Path);
            Assert.True(backbone.Training);
            using Backbone merged = BackboneLoader.Load(folder.Path, Devices.Cpu, precision);
            placement.Training = false;
            using Tensor expected = Probe(backbone, arena), found = merged.Probe()!;
            using Tensor difference = found.to_type(ScalarType.Float32) - expected;
            output.WriteLine($"{name}, {precision}: merged and adapted differ by {difference.norm().ToSingle() / expected.norm().ToSingle():e1} of the logits' length");
            using (no_grad())
                arena.Values.mul_(2); // what is merged below was merged before
            Assert.Throws<RecipeException>(() => MergeProof.Require(placement, merged.Weights.All.ToDictionary(weight => weight.Name, weight => weight.Frozen)));
        }
    }

    [Fact]
    public void A_pass_that_is_open_stays_open()
    {
        using Tried adapted = Moved(new Ia3Method());
        using (no_grad())
        using (adapted.Arena.Bind())
        {
            int[] before = Tried.Logits(adapted.Backbone).Bits();
            adapted.Placement.MergeInto(folder.Path);
            Assert.Equal(before, Tried.Logits(adapted.Backbone).Bits());
        }
    }

    [Fact]
    public void A_second_merge_leaves_no_tensor_behind()
    {
        using Tried adapted = Moved(new LoraMethod { Rank = 4 });
        adapted.Placement.MergeInto(folder.Path, ShardBytes);
        long before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        adapted.Placement.MergeInto(folder.Path, ShardBytes);
        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void A_shard_that_holds_nothing_is_an_error()
    {
        using Tried adapted = Moved(new LoraMethod { Rank = 4 });
        RecipeException error = Assert.Throws<RecipeException>(() => adapted.Placement.MergeInto(folder.Path, 0));
        Assert.Equal("FPO4016", error.Id);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    private static Tried Moved(AdapterMethod method, string backbone = "opt")
    {
        Tried adapted = new(method, backbone);
        adapted.Move();
        return adapted;
    }

    private static void Move(Arena arena)
    {
        using var noGrad = no_grad();
        using Generator random = new(11);
        using Tensor noise = randn([arena.Count], generator: random).mul(0.05);
        arena.Values.add_(noise);
    }

    private static Tensor Probe(Backbone backbone, Arena arena)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using (arena.Bind())
            return backbone.Probe()!.to_type(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    private string[] Weights() => [.. Directory.GetFiles(folder.Path).Select(path => Path.GetFileName(path)).Where(name => name.StartsWith("model", StringComparison.Ordinal) && name != "model-of-mine.safetensors").Order(StringComparer.Ordinal)];

    private string[] Shards() => [.. Weights().Where(name => name.StartsWith("model-", StringComparison.Ordinal))];

    public void Dispose() => folder.Dispose();

    /// <summary>An adapter of one's own that merges into something else than it computes.</summary>
    private sealed class WrongMethod : AdapterMethod<WrongLayer>
    {
        public override string PeftType => "WRONG";

        public override void WriteConfig(JsonObject config, IReadOnlyList<Site> sites)
        {
        }

        public override void CheckConfig(AdapterConfig config, IReadOnlyList<Site> sites)
        {
        }

        public override WrongLayer Place(Projection site, Generator random) =>
            new(new TrainableTensor($"{site.Module}.scale", site.Role, TrainableKind.Adapter, full([site.Out], 1.25, ScalarType.Float32)));
    }

    private sealed class WrongLayer(TrainableTensor scale) : AdapterLayer
    {
        public override IReadOnlyList<TrainableTensor> Tensors => [scale];

        public override Tensor Forward(Tensor x, Projection site) => site.Base(x).mul(scale.Live);

        public override Tensor MergedWeight(Projection site) => site.Weight.Frozen.mul(scale.Value.unsqueeze(1)); // and the bias?
    }
}
