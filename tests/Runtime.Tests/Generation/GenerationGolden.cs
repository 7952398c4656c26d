using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Generation;
using FlatPO.Recipes.Tests.Backbones.Qwen25VL;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Generation;

/// <summary>What transformers' <c>generate</c> answers greedily, with its own cache.</summary>
[Trait("Category", Golden.Category)]
public sealed class GenerationGolden
{
    public static TheoryData<string> Families => ["opt", "llama", "llama3", "mistral", "qwen2", "qwen3"];

    public static TheoryData<string> Variants =>
        ["opt_post", "opt_bare", "llama_bias", "llama_dynamic", "llama_yarn", "mistral_full", "qwen2_window", "qwen2_yarn", "qwen3_window"];

    [Theory, MemberData(nameof(Families))]
    public void One_prompt_goes_on_as_in_transformers(string name)
    {
        using SafetensorsFile expected = Golden.Case(Golden.Backbone(name));
        using var backbone = (CausalLM)BackboneLoader.Load(Golden.Backbone(name), CPU, Precision.Float32);
        int[] whole = Ids(expected, "generated")[0], prompt = Prompt(expected, whole);

        Completion found = backbone.Generate([prompt], Greedily(whole.Length - prompt.Length)).Single();

        Assert.Equal(whole[prompt.Length..], found.Ids);
    }

    [Theory, MemberData(nameof(Variants))]
    public void Prompts_of_unlike_length_go_on_together(string name)
    {
        using SafetensorsFile expected = Golden.Case(Golden.Variant(name));
        using var backbone = (CausalLM)BackboneLoader.Load(Golden.Variant(name), CPU, Precision.Float32);
        int[][] generated = Ids(expected, "generated");

        IReadOnlyList<Completion> found = backbone.Generate(Prompts(expected), Greedily(generated[0].Length));

        Assert.Equal(generated, found.Select(completion => completion.Ids));
    }

    [Fact]
    public void Prompts_with_two_images_none_and_one_go_on_together()
    {
        string folder = Golden.Variant("qwen2_5_vl");
        using SafetensorsFile expected = Golden.Case(folder);
        using MultimodalLM backbone = QwenVlCase.Load(folder);
        int[][] generated = Ids(expected, "generated");

        IReadOnlyList<Completion> found = backbone.Generate(QwenVlCase.Examples(expected, backbone), Greedily(generated[0].Length));

        Assert.Equal(generated, found.Select(completion => completion.Ids));
    }

    private static GenerationSettings Greedily(int tokens) => new() { MaxNewTokens = tokens, StopIds = [] };

    // The first ids of the first row, which is how make_golden.py began: as far as both agree, and its new tokens are twice as many.
    private static int[] Prompt(SafetensorsFile expected, int[] whole)
    {
        int[] row = Ids(expected, "input_ids")[0];
        int same = whole.Zip(row).TakeWhile(pair => pair.First == pair.Second).Count();
        return whole[..Math.Min(same, 6)];
    }

    private static int[][] Prompts(SafetensorsFile expected)
    {
        int[][] ids = Ids(expected, "prompt_ids"), mask = Ids(expected, "prompt_mask");
        return [.. ids.Zip(mask, (row, tokens) => row.Where((_, place) => tokens[place] == 1).ToArray())];
    }

    private static int[][] Ids(SafetensorsFile expected, string name)
    {
        using Tensor ids = expected.Read(name);
        return [.. ids.data<long>().ToArray().Chunk((int)ids.size(1)).Select(row => row.Select(id => (int)id).ToArray())];
    }
}
