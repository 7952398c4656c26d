using System.Text.Json.Nodes;
using FlatPO.Recipes.Backbones;

namespace FlatPO.Recipes.Adapters.VirtualTokens;

/// <summary>The entries of adapter_config.json that methods with virtual tokens share (peft <c>config.py</c>, <c>PromptLearningConfig</c>).</summary>
internal static class VirtualTokenConfig
{
    /// <summary>How many virtual tokens there are.</summary>
    internal static int Count(AdapterConfig config) =>
        config.Number("num_virtual_tokens", 0) is >= 1 and double count ? (int)count : throw config.Invalid("num_virtual_tokens", "a whole number of at least 1");

    internal static void Write(JsonObject config, int virtualTokens, IReadOnlyList<Site> sites) => Write(config, virtualTokens, sites, inputs => (inputs.Out, inputs.Shape.Heads));

    /// <summary>The same, with the numbers per token and heads that <paramref name="sizes"/> gives.</summary>
    internal static void Write(JsonObject config, int virtualTokens, IReadOnlyList<Site> sites, Func<InputSite, (long Width, long Heads)> sizes)
    {
        InputSite inputs = sites.OfType<InputSite>().First();
        (long width, long heads) = sizes(inputs);
        config["num_virtual_tokens"] = virtualTokens;
        config["token_dim"] = width;
        config["num_transformer_submodules"] = 1;
        config["num_attention_heads"] = heads;
        config["num_layers"] = inputs.Shape.Layers;
    }

    internal static void Check(AdapterConfig config, int virtualTokens, IReadOnlyList<Site> sites) => Check(config, virtualTokens, sites, inputs => inputs.Out);

    /// <summary>Throws FPO4011 for another number of virtual tokens, or numbers per token than <paramref name="width"/> gives.</summary>
    internal static void Check(AdapterConfig config, int virtualTokens, IReadOnlyList<Site> sites, Func<InputSite, long> width)
    {
        if (config.Number("num_virtual_tokens", 0) != virtualTokens)
            throw config.Invalid("num_virtual_tokens", $"{virtualTokens}, the virtual tokens of this adapter");
        if (config.Number("num_transformer_submodules", 1) != 1)
            throw config.Invalid("num_transformer_submodules", "1: the backbone has one stack of layers that reads text");
        foreach (InputSite inputs in sites.OfType<InputSite>())
            if (config.Number("token_dim", width(inputs)) is var found && found != width(inputs))
                throw config.Invalid("token_dim", $"{width(inputs)}, the backbone's");
    }
}
