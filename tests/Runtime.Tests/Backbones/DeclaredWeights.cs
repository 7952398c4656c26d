using System.Reflection;
using FlatPO.Recipes.Backbones;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Backbones;

/// <summary>The compiler counts a backbone's numbers and its longest row from declarations alone; they must be those of the network.</summary>
[Trait("Category", Golden.Category)]
public sealed class DeclaredWeights
{
    public static TheoryData<string> Checkpoints =>
    [
        "opt", "llama", "llama3", "qwen2", "vit", "clip", "qwen2_5_vl", "mistral", "qwen3", "bert", "roberta",
        "variants/opt_post", "variants/opt_bare", "variants/llama_bias", "variants/qwen2_window", "variants/vit",
        "variants/mistral_full", "variants/qwen3_window", "variants/bert", "variants/roberta", "variants/qwen2_5_vl",
    ];

    [Theory, MemberData(nameof(Checkpoints))]
    public void Declarations_count_every_number_once(string name)
    {
        using Backbone backbone = BackboneLoader.Load(Folder(name), CPU, Precision.Float32);

        Assert.Equal(DeclaredTotal.Of(backbone.Weights), DeclaredTotal.Of(backbone.GetType(), backbone.Config));
    }

    [Theory, MemberData(nameof(Checkpoints))]
    public void The_longest_row_declared_is_the_longest_there_are_positions_for(string name)
    {
        using Backbone backbone = BackboneLoader.Load(Folder(name), CPU, Precision.Float32);
        string declared = backbone.GetType().GetCustomAttribute<BackboneFamilyAttribute>()!.MaxLength;
        long? longest = backbone switch
        {
            CausalLM language => language.LongestRow,
            SequenceClassifier texts => texts.LongestRow,
            _ => null,
        };
        if (longest is not null) // computed positions have no end; what is declared is then what the network was trained for
            Assert.Equal(longest, SizeOf.Expression(declared, backbone.Config));
    }

    private static string Folder(string name) => name.Split('/') is [_, string variant] ? Golden.Variant(variant) : Golden.Backbone(name);
}
