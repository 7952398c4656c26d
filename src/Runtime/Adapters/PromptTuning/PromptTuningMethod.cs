using System.Text.Json.Nodes;
using FlatPO.Recipes.Adapters.VirtualTokens;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters.PromptTuning;

/// <summary>Prompt tuning (arXiv 2104.08691; peft <c>tuners/prompt_tuning</c>): trained vectors that are read before every text.</summary>
public sealed class PromptTuningMethod : AdapterMethod, IInputMethod<PromptEmbedding>
{
    internal const string Type = "PROMPT_TUNING";

    /// <inheritdoc cref="PromptTuningAttribute.VirtualTokens"/>
    public int VirtualTokens { get; init; } = 20;

    /// <inheritdoc cref="PromptTuningAttribute.Initialization"/>
    public PromptInitialization Initialization { get; init; }

    /// <inheritdoc cref="PromptTuningAttribute.InitialIds"/>
    public string[] InitialIds { get; init; } = [];

    /// <inheritdoc/>
    public override string PeftType => Type;

    /// <inheritdoc/>
    public override bool NamesTargets => false;

    /// <inheritdoc/>
    public override string FilePrefix => "";

    /// <inheritdoc/>
    public PromptEmbedding Place(InputSite site, Generator random)
    {
        Bounds.Check(typeof(PromptTuningAttribute), nameof(VirtualTokens), VirtualTokens);
        using var scope = NewDisposeScope();
        return new PromptEmbedding(InputTensors.Of(site, "prompt_embeddings", Initial(site, random)));
    }

    /// <summary>The method an adapter folder was trained with.</summary>
    public static PromptTuningMethod From(AdapterConfig config, IReadOnlyList<Site> sites)
    {
        PromptTuningMethod method = new() { VirtualTokens = VirtualTokenConfig.Count(config) };
        method.CheckConfig(config, sites);
        return method;
    }

    /// <inheritdoc/>
    public override void WriteConfig(JsonObject config, IReadOnlyList<Site> sites)
    {
        VirtualTokenConfig.Write(config, VirtualTokens, sites);
        config["prompt_tuning_init"] = "RANDOM"; // how the numbers began changes nothing any more
        config["prompt_tuning_init_text"] = null;
        config["tokenizer_name_or_path"] = null;
        config["tokenizer_kwargs"] = null;
    }

    /// <inheritdoc/>
    public override void CheckConfig(AdapterConfig config, IReadOnlyList<Site> sites) => VirtualTokenConfig.Check(config, VirtualTokens, sites);

    // peft's PromptEmbedding: nn.Embedding's N(0, 1), or vectors of tokens
    private Tensor Initial(InputSite site, Generator random)
    {
        if (Initialization == PromptInitialization.Random)
            return randn([VirtualTokens, site.Out], float32, generator: random);
        EmbeddingSite table = site.Table ?? throw new RecipeException("FPO1052", $"Initialization = {Initialization} wants a table of token vectors, which the backbone does not have at {site.Module}");
        Tensor ids = Initialization == PromptInitialization.SampleVocabulary ? randint(0, table.In, [VirtualTokens], ScalarType.Int64, generator: random) : tensor(TextIds(table));
        return Ops.Embedding(table.Weight.Frozen, ids.to(table.Weight.Frozen.device)).to_type(ScalarType.Float32).cpu();
    }

    // A text that is too short is repeated, one too long cut.
    private long[] TextIds(EmbeddingSite table)
    {
        long[] ids = [.. InitialIds.Select(id => long.TryParse(id, out long number) && number >= 0 && number < table.In
            ? number
            : throw new RecipeException("FPO1052", $"InitialIds has '{id}'; allowed are ids from 0 to {table.In - 1}"))];
        return ids.Length > 0
            ? [.. Enumerable.Range(0, VirtualTokens).Select(place => ids[place % ids.Length])]
            : throw new RecipeException("FPO1052", "Initialization = Text wants InitialIds, the token ids of the text that the prompt begins as");
    }
}
