using FlatPO.Recipes.Adapters.Bottleneck;
using FlatPO.Recipes.Adapters.Ia3;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Adapters.Vera;
using FlatPO.Recipes.Backbones;

namespace FlatPO.Recipes.Adapters;

/// <summary>The methods an adapter folder can be opened with, by <c>peft_type</c>. A new method is a row.</summary>
internal static class PeftMethods
{
    private static readonly Dictionary<string, Func<AdapterConfig, IReadOnlyList<Projection>, AdapterMethod>> ByType = new(StringComparer.Ordinal)
    {
        [LoraConfig.PeftType] = LoraMethod.From,
        [Ia3Method.Type] = Ia3Method.From,
        [BottleneckMethod.Type] = BottleneckMethod.From,
        [VeraMethod.Type] = VeraMethod.From,
    };

    /// <summary>The method that adapter_config.json describes at the sites it names; FPO4011 for a method that is not there.</summary>
    internal static AdapterMethod From(AdapterConfig config, IReadOnlyList<Projection> sites) => ByType.TryGetValue(config.PeftType, out var from)
        ? from(config, sites)
        : throw config.Invalid("peft_type", $"one of {string.Join(", ", ByType.Keys.Order(StringComparer.Ordinal))}");
}
