using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Backbones.Llama;
using FlatPO.Recipes.Generation;
using FlatPO.Recipes.Tests.Backbones.Qwen25VL;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Generation;

public sealed class DecodingTests
{
    private static readonly int[][] Prompts = [[5, 6, 7, 8, 9, 10], [11, 12], [13, 14, 15, 16]];

    [Theory]
    [InlineData("opt")]
    [InlineData("llama3")]
    [InlineData("mistral")]
    [InlineData("qwen3")]
    public void With_the_cache_a_pass_answers_what_it_answers_without(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using CausalLM backbone = Load(name);
        using KeyValueCache cache = new(16);
        Tensor ids = randint(5, 50, [2, 9]), mask = ones_like(ids);
        mask[0, ..3] = 0;
        foreach (int length in (int[])[4, 5, 7, 9]) // one token, or several at once
        {
            using KeyValueCache none = new(16);
            Tensor quick = backbone.NextLogits(new DecoderPass(ids[.., ..length], mask[.., ..length], true, cache));
            Tensor anew = backbone.NextLogits(new DecoderPass(ids[.., ..length], mask[.., ..length], true, none));
            Assert.InRange(Golden.LargestDifference(quick, anew), 0, 1e-5);
        }
    }

    [Theory]
    [InlineData("opt")]
    [InlineData("qwen2")]
    public void A_text_goes_on_alike_alone_and_beside_others(string name)
    {
        using CausalLM backbone = Load(name);
        GenerationSettings settings = new() { MaxNewTokens = 9, StopIds = [], Temperature = 0.8, TopK = 20, Seed = 3 };

        IReadOnlyList<Completion> together = backbone.Generate(Prompts, settings);
        IReadOnlyList<Completion> alone = backbone.Generate(Prompts, settings with { BatchSize = 1 });

        Assert.Equal(together.Select(completion => completion.Ids), alone.Select(completion => completion.Ids));
        Assert.NotEqual(together.Select(completion => completion.Ids), backbone.Generate(Prompts, settings with { Seed = 4 }).Select(completion => completion.Ids));
    }

    [Fact]
    public void A_backbone_without_a_cache_says_the_same()
    {
        using CausalLM cached = Load("llama"), plain = BackboneLoader.Load(Golden.Backbone("llama"), CPU, Precision.Float32, weights => new Forgetful(weights));
        GenerationSettings settings = new() { MaxNewTokens = 6, StopIds = [] };

        Assert.Equal(cached.Generate(Prompts, settings).Select(completion => completion.Ids), plain.Generate(Prompts, settings).Select(completion => completion.Ids));
    }

    [Fact]
    public void A_stop_id_ends_its_own_text_alone()
    {
        using CausalLM backbone = Load("qwen2");
        GenerationSettings settings = new() { MaxNewTokens = 8, StopIds = [] };
        IReadOnlyList<Completion> free = backbone.Generate(Prompts, settings);
        int stop = free[0].Ids[2];
        List<GeneratedToken> told = [];

        IReadOnlyList<Completion> ended = backbone.Generate(Prompts, settings with { StopIds = [stop] }, new Told(told));

        Assert.All(free.Zip(ended), pair =>
        {
            int end = pair.First.Ids.ToList().IndexOf(stop);
            Assert.Equal(end >= 0, pair.Second.Stopped);
            Assert.Equal(end >= 0 ? pair.First.Ids.Take(end + 1) : pair.First.Ids, pair.Second.Ids);
        });
        Assert.True(ended[0].Stopped);
        Assert.Equal(ended.SelectMany((completion, prompt) => completion.Ids.Select(id => new GeneratedToken(prompt, id))), told.OrderBy(token => token.Prompt));
    }

    [Fact]
    public void The_folders_own_stop_ids_hold_where_none_are_given()
    {
        using TemporaryFolder folder = new();
        foreach (string file in (string[])["config.json", "model.safetensors"])
            File.Copy(Path.Combine(Golden.Backbone("qwen2"), file), folder.File(file));
        using CausalLM backbone = (CausalLM)BackboneLoader.Load(folder.Path, CPU, Precision.Float32);
        int second = backbone.Generate(Prompts[..1], new GenerationSettings { MaxNewTokens = 2, StopIds = [] })[0].Ids[1];
        File.WriteAllText(folder.File("generation_config.json"), $$"""{"eos_token_id": [{{second}}, 0]}""");

        Completion found = backbone.Generate(Prompts[..1]).Single();

        Assert.True(found.Stopped);
        Assert.Equal(second, found.Ids[^1]);
    }

    [Fact]
    public void It_ends_where_the_backbone_has_no_more_positions()
    {
        using CausalLM backbone = Load("opt");
        int[] prompt = [.. Enumerable.Repeat(7, (int)backbone.LongestRow! - 2)];

        Assert.Equal(2, backbone.Generate([prompt], new GenerationSettings { StopIds = [] }).Single().Ids.Count);
        AssertRefused("FPO3006", () => backbone.Generate([[.. prompt, 7, 7]]), "positions for");
    }

    [Fact]
    public void Nothing_is_left_behind()
    {
        using CausalLM backbone = Load("llama");
        GenerationSettings settings = new() { MaxNewTokens = 5, StopIds = [], Temperature = 1, TopP = 0.9 };
        backbone.Generate(Prompts, settings);
        long before = TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount;

        backbone.Generate(Prompts, settings);

        Assert.Equal(before, TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Bad_input_is_one_error()
    {
        using CausalLM backbone = Load("llama");
        using MultimodalLM seeing = QwenVlCase.Load();
        AssertRefused("FPO3051", () => backbone.Generate([[5], []]), "prompt 1 is empty");
        AssertRefused("FPO3013", () => backbone.Generate([[5, 1 << 20]]), "token id 1048576");
        AssertRefused("FPO3028", () => seeing.Generate([new MultimodalExample([5, (int)seeing.ImageToken], [])]), "1 runs of image tokens");
        AssertRefused("FPO3050", () => backbone.Generate([[5]], new GenerationSettings { MaxNewTokens = 0 }), "MaxNewTokens = 0 cannot be; allowed is at least 1");
        AssertRefused("FPO3050", () => backbone.Generate([[5]], new GenerationSettings { Temperature = -1 }), "Temperature = -1");
        AssertRefused("FPO3050", () => backbone.Generate([[5]], new GenerationSettings { Temperature = 1, TopP = 1.5 }), "TopP = 1.5");
        AssertRefused("FPO3050", () => backbone.Generate([[5]], new GenerationSettings { TopK = 5 }), "TopK = 5", "always takes the likeliest");
    }

    private static CausalLM Load(string name) => (CausalLM)BackboneLoader.Load(Golden.Backbone(name), CPU, Precision.Float32);

    private static void AssertRefused(string id, Action act, params string[] words)
    {
        var error = Assert.Throws<RecipeException>(act);
        Assert.Equal(id, error.Id);
        Assert.All(words, word => Assert.Contains(word, error.Message));
    }

    private sealed class Told(List<GeneratedToken> tokens) : IProgress<GeneratedToken>
    {
        public void Report(GeneratedToken value) => tokens.Add(value);
    }

    /// <summary>A user's own backbone that overrides no more than it must.</summary>
    private sealed class Forgetful(WeightTable weights) : CausalLM(weights)
    {
        private readonly LlamaForCausalLM inner = new(weights);

        public override Tensor Logits(Batches.TokenBatch batch) => inner.Logits(batch);
    }
}
