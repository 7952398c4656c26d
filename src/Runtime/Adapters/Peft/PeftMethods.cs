using FlatPO.Recipes.Adapters.BitFit;
using FlatPO.Recipes.Adapters.Bottleneck;
using FlatPO.Recipes.Adapters.Config;
using FlatPO.Recipes.Adapters.Ia3;
using FlatPO.Recipes.Adapters.LinearProbe;
using FlatPO.Recipes.Adapters.LnTuning;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Adapters.PrefixTuning;
using FlatPO.Recipes.Adapters.PromptTuning;
using FlatPO.Recipes.Adapters.PTuning;
using FlatPO.Recipes.Adapters.Vera;
using FlatPO.Recipes.Adapters.VisualPrompt;
using FlatPO.Recipes.Backbones;

namespace FlatPO.Recipes.Adapters.Peft;

/// <summary>The methods an adapter folder can be opened with, by <c>peft_type</c>. A new method is a row.</summary>
internal static class PeftMethods
{
    private static readonly Dictionary<string, Func<AdapterConfig, IReadOnlyList<Site>, AdapterMethod>> ByType = new(StringComparer.Ordinal)
    {
        [LoraConfig.PeftType] = LoraMethod.From,
        [Ia3Method.Type] = Ia3Method.From,
        [LnTuningMethod.Type] = LnTuningMethod.From,
        [BitFitMethod.Type] = BitFitMethod.From,
        [LinearProbeMethod.Type] = LinearProbeMethod.From,
        [PromptTuningMethod.Type] = PromptTuningMethod.From,
        [PTuningMethod.Type] = PTuningMethod.From,
        [PrefixTuningMethod.Type] = PrefixTuningMethod.From,
        [VisualPromptMethod.Type] = VisualPromptMethod.From,
        [BottleneckMethod.Type] = BottleneckMethod.From,
        [VeraMethod.Type] = VeraMethod.From,
    };

    /// <summary>The types that can be opened.</summary>
    internal static IReadOnlyCollection<string> Types => ByType.Keys;

    /// <summary>The method that adapter_config.json describes and the sites it names; FPO4011 for a method that is not there or sites that it cannot sit at.</summary>
    internal static (AdapterMethod Method, IReadOnlyList<Site> Sites) From(AdapterConfig config, Backbone backbone)
    {
        if (!ByType.TryGetValue(config.PeftType, out var from))
            throw config.Invalid("peft_type", $"one of {string.Join(", ", ByType.Keys.Order(StringComparer.Ordinal))}");
        AdapterMethod anywhere = from(config, []);
        Site[] possible = [.. backbone.Weights.AllSites.Where(anywhere.Takes)];
        if (possible.Length == 0)
            throw config.Invalid("peft_type", $"a method that the {backbone.Config.ModelType} backbone has a place for");
        IReadOnlyList<Site> sites = anywhere.NamesTargets ? TargetModules.Match(backbone, possible, config) : possible;
        return (from(config, sites), sites);
    }
}
