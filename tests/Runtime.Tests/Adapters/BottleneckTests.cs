using System.Text.Json.Nodes;
using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.Bottleneck;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Adapters;

/// <summary>Bottleneck adapters: their formula, their own folder format, and what they refuse.</summary>
public sealed class BottleneckTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    [Theory]
    [InlineData(BottleneckActivation.Relu)]
    [InlineData(BottleneckActivation.Gelu)]
    [InlineData(BottleneckActivation.Silu)]
    public void Adds_a_scaled_narrow_block_to_the_layers_output(BottleneckActivation activation)
    {
        using Tried adapted = new(new BottleneckMethod { Size = 3, Activation = activation, Scale = 1.5 }, "opt");
        adapted.Move();
        (Projection site, AdapterLayer layer) = adapted.Placement.AtLinearLayers[0];
        BottleneckBlock block = (BottleneckBlock)layer;
        using var noGrad = no_grad();
        using (adapted.Arena.Bind())
        {
            Tensor x = randn(5, site.In), h = site.Base(x);
            Tensor narrow = h.mm(block.DownWeight.Value.t()) + block.DownBias.Value;
            Tensor bent = activation switch
            {
                BottleneckActivation.Relu => narrow.maximum(zeros_like(narrow)),
                BottleneckActivation.Gelu => narrow * (1 + (narrow / Math.Sqrt(2)).erf()) / 2,
                _ => narrow / (1 + (-narrow).exp()),
            };
            Tensor expected = h + 1.5 * (bent.mm(block.UpWeight.Value.t()) + block.UpBias.Value);
            Assert.NotInRange(Golden.LargestDifference(expected, h), 0, 1e-2); // it was moved far enough to tell
            Assert.InRange(Golden.LargestDifference(layer.Forward(x, site), expected), 0, 1e-5);
        }
    }

    [Fact]
    public void The_folder_is_the_one_that_is_documented()
    {
        using Tried adapted = new(new BottleneckMethod { Size = 3, Activation = BottleneckActivation.Silu, Scale = 0.5 }, "opt");
        adapted.Placement.Save(folder.Path);
        JsonObject config = Config();
        Assert.Equal(("BOTTLENECK", 3, "silu", 0.5), ((string)config["peft_type"]!, (int)config["bottleneck_size"]!, (string)config["activation"]!, (double)config["scale"]!));
        using SafetensorsFile file = SafetensorsFile.Open(folder.File("adapter_model.safetensors"));
        Assert.Equal(4 * adapted.Placement.Placed.Count, file.Entries.Count);
        foreach (Projection site in adapted.Placement.AdaptedSites)
        {
            string module = $"base_model.model.{site.Module}.";
            Assert.Equal([3, site.Out], file.Entries[$"{module}bottleneck_down.weight"].Shape);
            Assert.Equal([3], file.Entries[$"{module}bottleneck_down.bias"].Shape);
            Assert.Equal([site.Out, 3], file.Entries[$"{module}bottleneck_up.weight"].Shape);
            Assert.Equal([site.Out], file.Entries[$"{module}bottleneck_up.bias"].Shape);
        }
    }

    [Theory]
    [InlineData("bottleneck_size", "5", "3, the width")]
    [InlineData("bottleneck_size", null, "3, the width")]
    [InlineData("activation", "\"gelu\"", "\"relu\", the function")]
    [InlineData("activation", "\"softplus\"", "one of relu, gelu, silu")]
    [InlineData("scale", "2", "1, the scale")]
    public void An_entry_that_changes_the_result_is_refused(string key, string? value, string allowed)
    {
        using Tried adapted = new(new BottleneckMethod { Size = 3 }, "opt");
        adapted.Placement.Save(folder.Path);
        Edit(config => config[key] = value is null ? null : JsonNode.Parse(value));
        RecipeException error = Assert.Throws<RecipeException>(() => adapted.Placement.Load(folder.Path));
        Assert.Equal("FPO4011", error.Id);
        Assert.Contains($"{key} is {value ?? "missing"}; expected {allowed}", error.Message);
    }

    [Theory]
    [InlineData("bottleneck_size", null)]
    [InlineData("activation", "\"softplus\"")]
    public void A_folder_that_does_not_say_what_it_holds_is_refused(string key, string? value)
    {
        using Tried adapted = new(new BottleneckMethod { Size = 3 }, "opt");
        adapted.Placement.Save(folder.Path);
        Edit(config => config[key] = value is null ? null : JsonNode.Parse(value));
        using Backbone fresh = BackboneLoader.Load(Golden.Backbone("opt"), Devices.Cpu, Precision.Float32);
        RecipeException error = Assert.Throws<RecipeException>(() => PeftFolder.Place(fresh, folder.Path));
        Assert.Equal("FPO4011", error.Id);
        Assert.Contains($"{key} is {value ?? "missing"}", error.Message);
    }

    [Fact]
    public void An_entry_it_does_not_know_is_not()
    {
        using Tried adapted = new(new BottleneckMethod { Size = 3 }, "opt");
        adapted.Move();
        adapted.Placement.Save(folder.Path);
        Edit(config => config["some_entry_of_a_later_version"] = "new");
        using Backbone fresh = BackboneLoader.Load(Golden.Backbone("opt"), Devices.Cpu, Precision.Float32);
        using Arena arena = PeftFolder.Place(fresh, folder.Path).BuildArena();
        Assert.Equal(adapted.Arena.Values.Bits(), arena.Values.Bits());
    }

    [Fact]
    public void It_cannot_be_merged()
    {
        using Tried adapted = new(new BottleneckMethod { Size = 3 }, "opt");
        RecipeException error = Assert.Throws<RecipeException>(() => adapted.Placement.MergeInto(folder.Path));
        Assert.Equal("FPO1044", error.Id);
        Assert.Contains(adapted.Placement.AtLinearLayers[0].Site.Module, error.Message);
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void Settings_out_of_bounds_have_the_compilers_ids()
    {
        Refused("FPO1043", "Size = 0", new BottleneckMethod { Size = 0 });
        Refused("FPO1043", "Size = 5000 is out of bounds at ", new BottleneckMethod { Size = 5000 });
        Refused("FPO1006", "Scale = 0", new BottleneckMethod { Size = 3, Scale = 0 });

        static void Refused(string id, string words, BottleneckMethod method)
        {
            RecipeException error = Assert.Throws<RecipeException>(() => new Tried(method, "opt").Dispose());
            Assert.Equal(id, error.Id);
            Assert.Contains(words, error.Message);
        }
    }

    private JsonObject Config() => JsonNode.Parse(File.ReadAllText(folder.File(AdapterConfig.FileName)))!.AsObject();

    private void Edit(Action<JsonObject> edit)
    {
        JsonObject config = Config();
        edit(config);
        File.WriteAllText(folder.File(AdapterConfig.FileName), config.ToJsonString());
    }

    public void Dispose() => folder.Dispose();
}
