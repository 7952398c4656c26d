using System.Text.Json.Nodes;
using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.Config;
using FlatPO.Recipes.Adapters.Vera;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Adapters;

/// <summary>What VeRA alone has: a frozen pair of projections for all sites, drawn from a key, in the adapter file or not.</summary>
public sealed class VeraTests : IDisposable
{
    private const string WeightsFile = "adapter_model.safetensors";

    private readonly TemporaryFolder folder = new();

    [Fact, Trait("Category", Golden.Category)]
    public void The_key_gives_pefts_projections_bit_for_bit()
    {
        string golden = Golden.Adapter("vera");
        using Backbone backbone = BackboneLoader.Load(Golden.Backbone(File.ReadAllText(Path.Combine(golden, "base.txt")).Trim()), Devices.Cpu, Precision.Float32);
        AdapterConfig config = AdapterConfig.Read(golden);
        IReadOnlyList<Site> sites = TargetModules.Match(backbone, backbone.Weights.Projections, config);
        AdapterPlacement placement = new(backbone, seed: 3);
        foreach (Site site in sites)
            placement.Place(VeraMethod.From(config, sites), site.Module);
        using SafetensorsFile theirs = SafetensorsFile.Open(Path.Combine(golden, WeightsFile));
        Assert.Equal(["base_model.vera_A", "base_model.vera_B"], placement.Shared.Select(tensor => tensor.Name));
        foreach (SharedTensor ours in placement.Shared)
            Assert.Equal(theirs.Read(ours.Name).reshape(-1).Bits(), ours.Value.reshape(-1).Bits());
    }

    [Fact, Trait("Category", Golden.Category)]
    public void Writes_the_settings_peft_wrote()
    {
        string golden = Golden.Adapter("vera");
        using Backbone backbone = BackboneLoader.Load(Golden.Backbone(File.ReadAllText(Path.Combine(golden, "base.txt")).Trim()), Devices.Cpu, Precision.Float32);
        PeftFolder.Place(backbone, golden).Save(folder.Path);
        JsonObject ours = Config(folder.Path), theirs = Config(golden);
        foreach (string key in (string[])["r", "d_initial", "vera_dropout", "projection_prng_key", "save_projection", "bias", "fan_in_fan_out", "init_weights", "layers_to_transform"])
            Assert.True(ours.ContainsKey(key) && JsonNode.DeepEquals(theirs[key], ours[key]), $"{key}: {ours[key]} where peft wrote {theirs[key]}");
    }

    [Fact]
    public void All_sites_take_their_part_of_one_pair()
    {
        using Tried adapted = new(new VeraMethod { Rank = 4 }, "llama");
        adapted.Move();
        Tensor a = adapted.Placement.Shared[0].Value, b = adapted.Placement.Shared[1].Value;
        Assert.Equal([4, adapted.Placement.AdaptedSites.Max(site => site.In)], a.shape);
        Assert.Equal([adapted.Placement.AdaptedSites.Max(site => site.Out), 4], b.shape);
        foreach ((Projection site, AdapterLayer layer) in adapted.Placement.AtLinearLayers)
        {
            VeraVectors vectors = (VeraVectors)layer;
            // arXiv 2310.11454, equation 2: W + Λ_b B Λ_d A
            Tensor expected = site.Weight.Frozen + diag(vectors.LambdaB.Value).mm(b[..(int)site.Out]).mm(diag(vectors.LambdaD.Value)).mm(a[.., ..(int)site.In]);
            Assert.InRange(Golden.LargestDifference(layer.MergedWeight(site), expected), 0, 1e-5);
        }
    }

    [Fact]
    public void Without_the_projections_in_the_file_the_key_gives_them_back()
    {
        using Tried adapted = new(new VeraMethod { Rank = 4, ProjectionPrngKey = 17, SaveProjection = false }, "llama");
        adapted.Move();
        adapted.Placement.Save(folder.Path);
        using (SafetensorsFile file = SafetensorsFile.Open(folder.File(WeightsFile)))
            Assert.Equal(adapted.Placement.Tensors.Count, file.Entries.Count);
        using Backbone fresh = BackboneLoader.Load(Golden.Backbone("llama"), Devices.Cpu, Precision.Float32);
        AdapterPlacement placement = PeftFolder.Place(fresh, folder.Path);
        using Arena arena = placement.BuildArena();
        using (no_grad())
        using (arena.Bind())
            Assert.Equal(adapted.Logits().Bits(), Tried.Logits(fresh).Bits());
    }

    [Fact]
    public void The_projections_of_the_file_are_the_ones_that_count()
    {
        using Tried one = new(new VeraMethod { Rank = 4 }, "llama"), other = new(new VeraMethod { Rank = 4 }, "llama");
        one.Move();
        using (no_grad())
            one.Placement.Shared[0].Value.mul_(2); // as if drawn by another random number generator
        one.Placement.Save(folder.Path);
        other.Placement.Load(folder.Path);
        Assert.Equal(one.Logits().Bits(), other.Logits().Bits());
    }

    [Fact]
    public void The_seed_and_the_order_of_sites_do_not_matter_to_the_projections_but_the_key_does()
    {
        using Tried one = new(new VeraMethod { Rank = 4 }, "opt"), other = new(new VeraMethod { Rank = 4, ProjectionPrngKey = 1 }, "opt");
        AdapterPlacement reversed = Reversed(out Backbone backbone);
        using (backbone)
            Assert.Equal(one.Placement.Shared[1].Value.Bits(), reversed.Shared[1].Value.Bits());
        Assert.NotEqual(one.Placement.Shared[1].Value.Bits(), other.Placement.Shared[1].Value.Bits());

        static AdapterPlacement Reversed(out Backbone backbone)
        {
            backbone = BackboneLoader.Load(Golden.Backbone("opt"), Devices.Cpu, Precision.Float32);
            AdapterPlacement placement = new(backbone, seed: 99);
            foreach (Projection site in backbone.Weights.Projections.Where(site => (site.Role & Sites.AllLinear) != 0).Reverse())
                placement.Place(new VeraMethod { Rank = 4 }, site.Module);
            return placement;
        }
    }

    [Theory]
    [InlineData("r", "5", "4, the rank")]
    [InlineData("projection_prng_key", "3", "0, the key")]
    [InlineData("save_projection", "false", "true, as this adapter has it")]
    [InlineData("bias", "\"all\"", "\"none\"")]
    [InlineData("fan_in_fan_out", "true", "false")]
    public void An_entry_that_changes_the_result_is_refused(string key, string value, string allowed)
    {
        using Tried adapted = Saved();
        Edit(config => config[key] = JsonNode.Parse(value));
        RecipeException error = Assert.Throws<RecipeException>(() => adapted.Placement.Load(folder.Path));
        Assert.Equal("FPO4011", error.Id);
        Assert.Contains($"{key} is {value}; expected {allowed}", error.Message);
    }

    [Fact]
    public void An_entry_that_changes_nothing_is_not()
    {
        using Tried adapted = Saved();
        Edit(config => (config["d_initial"], config["vera_dropout"], config["save_projection"], config["some_entry_of_a_later_peft"]) = (-3, 0.3, null, "new"));
        adapted.Placement.Load(folder.Path);
        using Backbone fresh = BackboneLoader.Load(Golden.Backbone("opt"), Devices.Cpu, Precision.Float32);
        using Arena arena = PeftFolder.Place(fresh, folder.Path).BuildArena();
        Assert.Equal(adapted.Arena.Values.Bits(), arena.Values.Bits());
    }

    [Fact]
    public void A_file_without_its_projections_or_with_misshapen_ones_is_refused_before_a_number_changes()
    {
        using Tried adapted = Saved();
        int[] before = [.. adapted.Arena.Values.Bits(), .. adapted.Placement.Shared[0].Value.Bits()];
        Rewrite(tensors => { tensors.Remove("base_model.vera_A"); tensors["base_model.vera_B"] = zeros(3, 4); });
        RecipeException error = Assert.Throws<RecipeException>(() => adapted.Placement.Load(folder.Path));
        Assert.Equal("FPO4010", error.Id);
        Assert.Contains("missing 'base_model.vera_A'", error.Message);
        Assert.Contains($"'base_model.vera_B' has shape [3, 4]; expected [{string.Join(", ", adapted.Placement.Shared[1].Value.shape)}]", error.Message);
        Assert.Equal<int[]>(before, [.. adapted.Arena.Values.Bits(), .. adapted.Placement.Shared[0].Value.Bits()]);
    }

    [Fact]
    public void A_site_that_comes_after_the_pair_was_drawn_is_refused()
    {
        using Tried adapted = new(new VeraMethod { Rank = 4 }, "llama", layer: ".layers.1.");
        Projection late = adapted.Backbone.Weights.Projections[0];
        Assert.Contains(late.Module, Assert.Throws<InvalidOperationException>(() => adapted.Placement.Place(new VeraMethod { Rank = 4 }, late.Module)).Message);
        Assert.Null(late.Adapter);
    }

    [Fact]
    public void The_pair_goes_with_the_backbone()
    {
        Tried adapted = new(new VeraMethod { Rank = 4 }, "llama");
        Tensor a = adapted.Placement.Shared[0].Value;
        Assert.False(a.IsInvalid);
        adapted.Dispose();
        Assert.True(a.IsInvalid);
    }

    [Fact]
    public void Settings_out_of_bounds_have_the_compilers_ids()
    {
        Refused("FPO1040", "Rank = 0", new VeraMethod { Rank = 0 });
        Refused("FPO1041", "DInitial = 0", new VeraMethod { DInitial = 0 });
        Refused("FPO1007", "Dropout = 1", new VeraMethod { Dropout = 1 });
        Refused("FPO1042", "ProjectionPrngKey = -1", new VeraMethod { ProjectionPrngKey = -1 });

        static void Refused(string id, string words, VeraMethod method)
        {
            RecipeException error = Assert.Throws<RecipeException>(() => new Tried(method, "opt").Dispose());
            Assert.Equal(id, error.Id);
            Assert.Contains(words, error.Message);
        }
    }

    private Tried Saved()
    {
        Tried adapted = new(new VeraMethod { Rank = 4 }, "opt");
        adapted.Move();
        adapted.Placement.Save(folder.Path);
        return adapted;
    }

    private static JsonObject Config(string folder) => JsonNode.Parse(File.ReadAllText(Path.Combine(folder, AdapterConfig.FileName)))!.AsObject();

    private void Edit(Action<JsonObject> edit)
    {
        JsonObject config = Config(folder.Path);
        edit(config);
        File.WriteAllText(folder.File(AdapterConfig.FileName), config.ToJsonString());
    }

    private void Rewrite(Action<Dictionary<string, Tensor>> change)
    {
        Dictionary<string, Tensor> tensors;
        using (SafetensorsFile file = SafetensorsFile.Open(folder.File(WeightsFile)))
            tensors = file.Entries.Keys.ToDictionary(name => name, name => file.Read(name).clone());
        change(tensors);
        SafetensorsWriter.Write(folder.File(WeightsFile), tensors);
    }

    public void Dispose() => folder.Dispose();
}
