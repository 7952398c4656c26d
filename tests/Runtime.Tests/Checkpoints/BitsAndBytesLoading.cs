using System.Text.Json.Nodes;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Tests.Backbones;
using FlatPO.Recipes.Tests.Trainables;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Checkpoints;

/// <summary>Checkpoints in bitsandbytes' layout.</summary>
[Trait("Category", Golden.Category)]
public sealed class BitsAndBytesLoading : IDisposable
{
    private readonly TemporaryFolder folder = new TemporaryFolder().With(Golden.Backbone("llama"));
    private readonly DisposeScope scope = NewDisposeScope();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Is_read_as_it_is(bool nested)
    {
        Dictionary<string, float[]> numbers = BitsAndBytesFolder.Quantize(folder, nested);
        using Backbone backbone = BackboneLoader.Load(folder.Path, CPU, Precision.NF4);
        Weight[] packed = [.. backbone.Weights.All.Where(weight => weight.Packed is not null)];
        Assert.Equal(numbers.Keys.Order(), packed.Select(weight => weight.Name).Order());
        Assert.All(packed, weight => Assert.Equal(tensor(numbers[weight.Name]).Bits(), weight.Packed!.Numbers(ScalarType.Float32).reshape(-1).Bits()));
    }

    [Fact]
    public void In_another_format_it_is_the_numbers_that_its_codes_stand_for()
    {
        Dictionary<string, float[]> numbers = BitsAndBytesFolder.Quantize(folder, nested: true);
        using Backbone backbone = BackboneLoader.Load(folder.Path, CPU, Precision.Float32);
        Assert.All(backbone.Weights.All, weight => Assert.Null(weight.Packed));
        Assert.All(numbers, pair => Assert.Equal(pair.Value, backbone.Weights.All.Single(weight => weight.Name == pair.Key).Frozen.reshape(-1).Numbers()));
    }

    [Fact]
    public void What_it_holds_in_full_stays_so()
    {
        string? spared = null;
        BitsAndBytesFolder.Quantize(folder, nested: true, (weight, tensors) =>
        {
            spared = weight;
            using Checkpoint original = Checkpoint.Open(Golden.Backbone("llama"));
            foreach (string name in tensors.Keys.Where(name => name.StartsWith(weight, StringComparison.Ordinal)).ToArray())
                tensors.Remove(name);
            tensors[weight] = original.Read([weight], CPU, ScalarType.BFloat16)[0];
        });
        using Backbone backbone = BackboneLoader.Load(folder.Path, CPU, Precision.NF4);
        Assert.Null(backbone.Weights.All.Single(weight => weight.Name == spared).Packed);
    }

    [Theory]
    [InlineData("quant_type", "fp4", "quant_type fp4; allowed is nf4")]
    [InlineData("blocksize", 128, "blocksize 128; allowed is 64")]
    [InlineData("nested_blocksize", 512, "nested_blocksize 512; allowed is 256")]
    public void Another_way_of_rounding_is_refused(string key, object value, string words)
    {
        BitsAndBytesFolder.Quantize(folder, nested: true, (weight, tensors) => BitsAndBytesFolder.Say(tensors, weight, key, value));
        AssertRefused("FPO4023", words, "model.safetensors: model.layers.0.", "Precision.NF4 quantises itself");
    }

    [Fact]
    public void A_table_of_other_numbers_is_refused()
    {
        BitsAndBytesFolder.Quantize(folder, nested: true, (weight, tensors) => tensors[$"{weight}.quant_map"] = linspace(-1, 1, 16));
        AssertRefused("FPO4023", ".quant_map has other numbers");
    }

    [Theory]
    [InlineData(".absmax")]
    [InlineData(".nested_absmax")]
    [InlineData(".nested_quant_map")]
    public void A_missing_part_is_refused(string part)
    {
        BitsAndBytesFolder.Quantize(folder, nested: true, (weight, tensors) => tensors.Remove(weight + part));
        AssertRefused("FPO4023", $"{part} is missing; allowed is ");
    }

    [Fact]
    public void A_wrong_shape_is_one_of_the_backbones()
    {
        BitsAndBytesFolder.Quantize(folder, nested: true, (weight, tensors) => BitsAndBytesFolder.Say(tensors, weight, "shape", (long[])[tensors[weight].numel() * 2, 1]));
        AssertRefused("FPO4004", "wrong shape: 1");
    }

    [Theory]
    [InlineData("quant_method", "gptq", "quant_method is 'gptq'; allowed is 'bitsandbytes'")]
    [InlineData("load_in_4bit", false, "load_in_4bit is not true; allowed is 4 bits")]
    public void Another_quantisation_is_refused_by_its_configuration(string key, object value, string words)
    {
        BitsAndBytesFolder.Quantize(folder, nested: true);
        JsonNode config = JsonNode.Parse(File.ReadAllText(folder.File(ModelConfig.FileName)))!;
        config["quantization_config"]![key] = System.Text.Json.JsonSerializer.SerializeToNode(value);
        File.WriteAllText(folder.File(ModelConfig.FileName), config.ToJsonString());
        AssertRefused("FPO4023", words, "config.json");
    }

    private void AssertRefused(string id, params string[] words)
    {
        RecipeException error = Assert.Throws<RecipeException>(() => BackboneLoader.Load(folder.Path, CPU, Precision.NF4));
        Assert.Equal(id, error.Id);
        Assert.All(words, word => Assert.Contains(word, error.Message));
    }

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }
}
