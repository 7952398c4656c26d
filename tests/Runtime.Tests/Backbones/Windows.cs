using System.Text.Json.Nodes;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Backbones;

/// <summary>A layer with a window of w tokens sees w − 1 tokens back, n such layers n (w − 1): a token further back changes nothing, the last one in reach does.</summary>
[Trait("Category", Golden.Category)]
public sealed class Windows
{
    private const int Window = 4;

    [Theory]
    [InlineData("mistral", """{"sliding_window":4}""", true)]
    [InlineData("mistral", """{"sliding_window":null}""", false)]
    [InlineData("qwen2", """{"use_sliding_window":true,"sliding_window":4,"layer_types":null,"max_window_layers":0}""", true)]
    [InlineData("qwen3", """{"use_sliding_window":true,"sliding_window":4,"layer_types":null,"max_window_layers":0}""", true)]
    [InlineData("qwen3", """{"use_sliding_window":false,"sliding_window":4,"layer_types":null,"max_window_layers":0}""", false)]
    public void A_windowed_decoder_sees_as_far_as_its_layers_reach(string name, string settings, bool windowed)
    {
        using var scope = NewDisposeScope();
        using var backbone = (CausalLM)LoadWith(name, settings);
        int reach = (int)backbone.Config.Int("num_hidden_layers") * (Window - 1), length = reach + 3;
        Tensor ids = randint(5, backbone.Config.Int("vocab_size"), [1, length]);

        Assert.NotEqual(0, ChangeFrom(length - 1 - reach));
        Assert.Equal(windowed, ChangeFrom(length - 2 - reach) == 0);

        double ChangeFrom(int place)
        {
            Tensor other = ids.clone();
            other[0, place] = 4; // an id that ids does not have
            return Golden.LargestDifference(Last(other), Last(ids));
        }

        Tensor Last(Tensor row) => backbone.Logits(new TokenBatch(row, ones_like(row), row, 0) { Padding = Padding.Right }).select(1, length - 1);
    }

    private static Backbone LoadWith(string name, string settings)
    {
        using TemporaryFolder folder = new TemporaryFolder().With(Golden.Backbone(name));
        var config = (JsonObject)JsonNode.Parse(File.ReadAllText(folder.File("config.json")))!;
        foreach ((string key, JsonNode? value) in (JsonObject)JsonNode.Parse(settings)!)
            config[key] = value?.DeepClone();
        File.WriteAllText(folder.File("config.json"), config.ToJsonString());
        return BackboneLoader.Load(folder.Path, CPU, Precision.Float32);
    }
}
