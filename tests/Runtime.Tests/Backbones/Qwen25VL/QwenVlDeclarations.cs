using System.Reflection;
using System.Text;
using System.Text.Json.Nodes;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Backbones.Qwen25VL;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Backbones.Qwen25VL;

/// <summary>What the compiler reads of a backbone with two towers is what the runtime builds.</summary>
[Trait("Category", Golden.Category)]
public sealed class QwenVlDeclarations
{
    private static readonly Type Family = typeof(Qwen2_5_VLForConditionalGeneration);

    private static string Catalogue => Path.Combine(
        typeof(Golden).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(entry => entry.Key == "GoldenFolder").Value!, "..", "..", "src", "Generator", "Catalogue", "qwen2_5_vl.json");

    public static TheoryData<string> Folders => QwenVlGolden.Folders;

    [Theory, MemberData(nameof(Folders))]
    public void Declared_sites_are_the_projections(string folder)
    {
        using var backbone = QwenVlCase.Load(folder);
        Assert.Equal(
            Declared(backbone.Config).Select(site => (site.Module, site.Published, site.Site.Role, SizeOf.Expression(site.Site.In, backbone.Config), SizeOf.Expression(site.Site.Out, backbone.Config), SizeOf.Expression(site.Site.Bias, backbone.Config) != 0)),
            backbone.Weights.Projections.Select(built => (built.Module, built.Published, built.Role, (long?)built.In, (long?)built.Out, built.Bias is not null)));
    }

    [Theory, MemberData(nameof(Folders))]
    public void Towers_and_sites_count_every_number(string folder)
    {
        using var backbone = QwenVlCase.Load(folder);
        Assert.Equal(Built(backbone.Weights), Counted(backbone.Config));
    }

    [Theory]
    [InlineData("Qwen/Qwen2.5-VL-3B-Instruct", 3_754_622_976)]
    [InlineData("Qwen/Qwen2.5-VL-7B-Instruct", 8_292_166_656)]
    public void Published_models_have_the_published_number_of_parameters(string id, long published)
    {
        ModelConfig config = Facts(id);
        using WeightTable weights = new(config, CPU, ScalarType.Float32);
        _ = new Qwen2_5_VLForConditionalGeneration(weights);
        Assert.Equal(published, Built(weights));
        Assert.Equal(published, Counted(config));
    }

    private static long Built(WeightTable weights) => weights.All.Sum(weight => weight.Shape.Aggregate(1L, (product, size) => product * size));

    private static long Counted(ModelConfig config)
    {
        long Value(string expression) => SizeOf.Expression(expression, config)!.Value;
        return Family.GetCustomAttributes<TowerAttribute>().Sum(tower => Value(tower.Weights) + Value(tower.Layers) * Value(tower.LayerWeights))
            + Declared(config).Where(site => Value(site.Site.Tied) == 0).Sum(site => Value(site.Site.In) * Value(site.Site.Out) + (Value(site.Site.Bias) != 0 ? Value(site.Site.Out) : 0));
    }

    // Tower by tower: the sites of its layers, layer by layer, then those behind them.
    private static IEnumerable<(string Module, string Published, SiteAttribute Site)> Declared(ModelConfig config)
    {
        SiteAttribute[] sites = [.. Family.GetCustomAttributes<SiteAttribute>()];
        foreach (TowerAttribute tower in Family.GetCustomAttributes<TowerAttribute>())
        {
            ILookup<bool, SiteAttribute> own = sites.Where(site => site.Tower == tower.Role).ToLookup(site => site.Module.Contains("{layer}", StringComparison.Ordinal));
            for (long layer = 0; layer < SizeOf.Expression(tower.Layers, config); layer++)
                foreach (SiteAttribute site in own[true])
                    yield return (At(site.Module, layer), At(site.Published ?? site.Module, layer), site);
            foreach (SiteAttribute site in own[false])
                yield return (site.Module, site.Published ?? site.Module, site);
        }

        static string At(string path, long layer) => path.Replace("{layer}", $"{layer}", StringComparison.Ordinal);
    }

    // The catalogue's facts, nested again, and what no size depends on.
    private static ModelConfig Facts(string id)
    {
        JsonObject facts = [];
        foreach ((string key, JsonNode? value) in JsonNode.Parse(File.ReadAllText(Catalogue))![id]!.AsObject())
        {
            string[] path = key.Split('.');
            JsonObject home = path.Length == 1 ? facts : (JsonObject)(facts[path[0]] ??= new JsonObject());
            home[path[^1]] = value?.DeepClone();
        }
        facts["rms_norm_eps"] = 1e-6;
        facts["rope_scaling"] = new JsonObject { ["type"] = "mrope", ["mrope_section"] = new JsonArray(16, 24, 24) };
        return ModelConfig.Parse($"{id}/config.json", Encoding.UTF8.GetBytes(facts.ToJsonString()));
    }
}
