using System.Reflection;
using System.Text;
using System.Text.Json;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Backbones.Clip;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Backbones;

/// <summary>What a backbone's declarations count is every number of its weights, in a small checkpoint and in the published ones the catalogue knows.</summary>
public sealed class DeclaredNumbers
{
    [Fact, Trait("Category", Golden.Category)]
    public void Declarations_count_every_weight()
    {
        using WeightTable weights = Table(ModelConfig.Open(Golden.Backbone("clip")));
        Assert.Equal(Built(weights), Declared(weights.Config));
    }

    [Fact]
    public void Keys_left_out_have_transformers_defaults()
    {
        using WeightTable weights = Table(ModelConfig.Parse("config.json", "{ \"model_type\": \"clip\", \"text_config\": {} }"u8.ToArray()));
        Assert.Equal(151_277_313, Built(weights)); // transformers' defaults are clip-vit-base-patch32
        Assert.Equal(151_277_313, Declared(weights.Config));
    }

    [Theory]
    [InlineData("openai/clip-vit-base-patch32", 151_277_313)]
    [InlineData("openai/clip-vit-base-patch16", 149_620_737)]
    [InlineData("openai/clip-vit-large-patch14", 427_616_513)]
    public void The_catalogue_describes_the_published_models(string id, long published)
    {
        string path = Path.Combine(Golden.Repository, "src", "Generator", "Catalogue", "clip.json");
        using JsonDocument catalogue = JsonDocument.Parse(File.ReadAllBytes(path));
        using WeightTable weights = Table(ModelConfig.Parse(path, Encoding.UTF8.GetBytes(catalogue.RootElement.GetProperty(id).GetRawText())));
        Assert.Equal(published, Built(weights));
        Assert.Equal(published, Declared(weights.Config));
    }

    private static WeightTable Table(ModelConfig config)
    {
        WeightTable weights = new(config, CPU, ScalarType.Float32);
        _ = new CLIPModel(weights); // declares; nothing is loaded
        return weights;
    }

    private static long Built(WeightTable weights) => weights.All.Sum(weight => weight.Shape.Aggregate(1L, (product, size) => product * size));

    private static long Declared(ModelConfig config)
    {
        TowerAttribute[] towers = [.. typeof(CLIPModel).GetCustomAttributes<TowerAttribute>()];
        long inSites = DeclaredSite.Expand(typeof(CLIPModel), config).Sum(site => (Size(site.Declaration.In) + (Size(site.Declaration.Bias) != 0 ? 1 : 0)) * Size(site.Declaration.Out));
        return inSites + towers.Sum(tower => Size(tower.Weights) + Size(tower.Layers) * Size(tower.LayerWeights));

        long Size(string expression) => SizeOf.Expression(expression, config)!.Value;
    }
}
