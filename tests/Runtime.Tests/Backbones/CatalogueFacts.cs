using System.Reflection;
using System.Text;
using System.Text.Json.Nodes;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Backbones;

/// <summary>
/// The facts of well-known models that the compiler carries, against the number of parameters each was published with: a wrong size or a missing key changes the total.
/// </summary>
public sealed class CatalogueFacts
{
    private static readonly string Catalogue = Path.Combine(Golden.Repository, "src", "Generator", "Catalogue");

    // Totals of the checkpoints on the Hugging Face Hub, a tied head counted once. BERT and RoBERTa: the pretrained encoder (with BERT's pooler) and the classifier of two
    // labels that is trained on it, hidden · 2 + 2 and (hidden + 1) · hidden + hidden · 2 + 2.
    public static TheoryData<string, long> Published => new()
    {
        { "facebook/opt-125m", 125_239_296 }, { "facebook/opt-350m", 331_196_416 }, { "facebook/opt-1.3b", 1_315_758_080 },
        { "facebook/opt-2.7b", 2_651_596_800 }, { "facebook/opt-6.7b", 6_658_473_984 }, { "facebook/opt-13b", 12_853_473_280 },
        { "meta-llama/Llama-2-7b-hf", 6_738_415_616 }, { "meta-llama/Llama-2-13b-hf", 13_015_864_320 },
        { "meta-llama/Llama-3.1-8B", 8_030_261_248 }, { "meta-llama/Llama-3.1-8B-Instruct", 8_030_261_248 },
        { "meta-llama/Llama-3.2-1B", 1_235_814_400 }, { "meta-llama/Llama-3.2-1B-Instruct", 1_235_814_400 },
        { "meta-llama/Llama-3.2-3B", 3_212_749_824 }, { "meta-llama/Llama-3.2-3B-Instruct", 3_212_749_824 },
        { "mistralai/Mistral-7B-v0.1", 7_241_732_096 }, { "mistralai/Mistral-7B-v0.3", 7_248_023_552 },
        { "mistralai/Mistral-7B-Instruct-v0.1", 7_241_732_096 }, { "mistralai/Mistral-7B-Instruct-v0.2", 7_241_732_096 }, { "mistralai/Mistral-7B-Instruct-v0.3", 7_248_023_552 },
        { "Qwen/Qwen2.5-0.5B", 494_032_768 }, { "Qwen/Qwen2.5-0.5B-Instruct", 494_032_768 }, { "Qwen/Qwen2.5-1.5B", 1_543_714_304 }, { "Qwen/Qwen2.5-1.5B-Instruct", 1_543_714_304 },
        { "Qwen/Qwen2.5-3B", 3_085_938_688 }, { "Qwen/Qwen2.5-3B-Instruct", 3_085_938_688 }, { "Qwen/Qwen2.5-7B", 7_615_616_512 }, { "Qwen/Qwen2.5-7B-Instruct", 7_615_616_512 },
        { "Qwen/Qwen2.5-14B", 14_770_033_664 }, { "Qwen/Qwen2.5-14B-Instruct", 14_770_033_664 },
        { "Qwen/Qwen3-0.6B", 596_049_920 }, { "Qwen/Qwen3-1.7B", 1_720_574_976 }, { "Qwen/Qwen3-4B", 4_022_468_096 }, { "Qwen/Qwen3-8B", 8_190_735_360 },
        { "google-bert/bert-base-uncased", 109_482_240 + 1_538 }, { "google-bert/bert-large-uncased", 335_141_888 + 2_050 },
        { "google-bert/bert-base-cased", 108_310_272 + 1_538 }, { "google-bert/bert-large-cased", 333_579_264 + 2_050 },
        { "FacebookAI/roberta-base", 124_647_170 }, { "FacebookAI/roberta-large", 355_361_794 },
        { "openai/clip-vit-base-patch32", 151_277_313 }, { "openai/clip-vit-base-patch16", 149_620_737 }, { "openai/clip-vit-large-patch14", 427_616_513 },
        { "Qwen/Qwen2.5-VL-3B-Instruct", 3_754_622_976 }, { "Qwen/Qwen2.5-VL-7B-Instruct", 8_292_166_656 },
        { "google/vit-base-patch16-224", 86_567_656 }, { "google/vit-large-patch16-224", 304_326_632 },
    };

    [Theory, MemberData(nameof(Published))]
    public void A_models_weights_are_as_many_as_were_published(string id, long parameters) => AssertTotal(Facts(id), parameters);

    [Fact]
    public void Clip_without_its_sizes_is_the_published_base_model() =>
        AssertTotal(ModelConfig.Parse("config.json", "{ \"model_type\": \"clip\", \"text_config\": {} }"u8.ToArray()), 151_277_313); // transformers' defaults

    private static void AssertTotal(ModelConfig config, long parameters)
    {
        Type type = typeof(Backbone).Assembly.GetCustomAttributes<DeclaresBackboneAttribute>().Select(declared => declared.Type)
            .Single(declared => declared.GetCustomAttribute<BackboneFamilyAttribute>()!.ModelType == config.ModelType);
        using WeightTable weights = new(config, CPU, ScalarType.Float32);
        using var built = (Backbone)Activator.CreateInstance(type, BindingFlags.DoNotWrapExceptions, null, [weights], null)!; // declares, and loads nothing

        Assert.Equal(parameters, DeclaredTotal.Of(weights));
        Assert.Equal(parameters, DeclaredTotal.Of(type, config));
    }

    [Fact]
    public void Every_model_has_its_published_total_here() =>
        Assert.Subset(Published.Select(row => (string)((object[])row)[0]).ToHashSet(), All.Select(model => model.Key).ToHashSet());

    // The compiler needs no epsilon; the count of id2label stands for the object itself.
    private static ModelConfig Facts(string id)
    {
        var facts = (JsonObject)All.Single(model => model.Key == id).Value!;
        if (facts["id2label.count"] is { } labels)
            facts["num_labels"] = labels.DeepClone();
        facts["rms_norm_eps"] = 1e-5;
        facts["layer_norm_eps"] = 1e-5;
        return ModelConfig.Parse($"{id}/{ModelConfig.FileName}", Encoding.UTF8.GetBytes(facts.ToJsonString()));
    }

    private static IEnumerable<KeyValuePair<string, JsonNode?>> All => Directory.GetFiles(Catalogue, "*.json").SelectMany(file => (JsonObject)JsonNode.Parse(File.ReadAllText(file))!);
}
