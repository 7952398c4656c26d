using System.Reflection;
using System.Text.Json;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Backbones;

/// <summary>The compiler reads a backbone's declarations, the runtime builds its sites: they must say the same.</summary>
[Trait("Category", Golden.Category)]
public sealed class DeclaredSites
{
    [Theory]
    [InlineData("opt")]
    [InlineData("llama")]
    [InlineData("llama3")]
    [InlineData("qwen2")]
    [InlineData("vit")]
    [InlineData("clip")]
    [InlineData("qwen2_5_vl")]
    [InlineData("mistral")]
    [InlineData("qwen3")]
    [InlineData("bert")]
    [InlineData("roberta")]
    public void Declarations_match_what_is_built(string name)
    {
        using Backbone backbone = BackboneLoader.Load(Golden.Backbone(name), CPU, Precision.Float32);
        Type type = backbone.GetType();
        var family = type.GetCustomAttribute<BackboneFamilyAttribute>()!;
        DeclaredSite[] declared = [.. DeclaredSite.Expand(type, backbone.Config)];
        Site[] built = [.. backbone.Weights.AllSites.Where(site => site.Role != Sites.None)];

        Assert.Equal(declared.Select(site => (site.Module, site.Declaration.Role)), built.Select(site => (site.Module, site.Role)));
        Assert.All(declared.Zip(built), pair => AssertSame(pair.First.Declaration, pair.First.Published, pair.Second, backbone.Config));
        Assert.All(family.Shape.Where(backbone.Config.Has), key => backbone.Config.Int(key));
    }

    [SkippableTheory]
    [InlineData("flatpo_adamw", Sites.AllLinear)]
    [InlineData("flatpo_adamw_qwen2", Sites.AllLinear)]
    public void Projections_are_in_the_order_of_transformers(string trace, Sites sites)
    {
        Skip.IfNot(Directory.Exists(Golden.Trace(trace)), $"{Golden.Folder} has no trace {trace}: make_golden.py writes them only where the authors' optimizers are");
        using JsonDocument expected = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Golden.Trace(trace), "trace.json")));
        string[] modules = [.. expected.RootElement.GetProperty("trainable").EnumerateArray()
            .Select(tensor => tensor.GetString()!["base_model.model.".Length..])
            .Select(tensor => tensor[..tensor.IndexOf(".lora_", StringComparison.Ordinal)]).Distinct()];
        using Backbone backbone = BackboneLoader.Load(Golden.Backbone(expected.RootElement.GetProperty("base").GetString()!), CPU, Precision.Float32);

        Assert.Equal(modules, backbone.Weights.Projections.Where(projection => (projection.Role & sites) != 0).Select(projection => projection.Module));
    }

    [Fact]
    public void An_unknown_module_offers_the_nearest()
    {
        using Backbone backbone = BackboneLoader.Load(Golden.Backbone("llama"), CPU, Precision.Float32);

        var error = Assert.Throws<RecipeException>(() => backbone.Projection("model.layers.1.self_attn.qproj"));

        Assert.Equal("FPO1001", error.Id);
        Assert.Contains("'model.layers.1.self_attn.q_proj'", error.Message);
    }

    private static void AssertSame(SiteAttribute site, string? published, Site built, ModelConfig config)
    {
        Assert.Equal(SizeOf.Expression(site.In, config), built.In);
        Assert.Equal(SizeOf.Expression(site.Out, config), built.Out);
        Assert.Equal((SizeOf.Expression(site.Bias, config) ?? 0) != 0, built.Parts.Any(part => part.Part == "bias"));
        Assert.Equal(published ?? built.Module, built.Published);
        Assert.All(built.Parts, part => Assert.Equal($"{published ?? built.Module}.{part.Part}", part.Weight.Name));
    }
}
