using FlatPO.Recipes;
using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Adapters.PrefixTuning;
using FlatPO.Recipes.Adapters.PTuning;
using FlatPO.Recipes.Backbones;

namespace Counterpart;

/// <summary>
/// An adapter as an adapter_config.json describes it, with a start of our own: for methods whose folders hold no numbers to go on from. P-tuning and a projected prefix
/// save what their layers make and not the layers, PiSSA and OLoRA begin as a part of the base weights, which a folder cannot hold.
/// </summary>
internal static class FreshAdapter
{
    internal static AdapterPlacement Place(Backbone backbone, string folder)
    {
        AdapterConfig config = AdapterConfig.Read(folder);
        AdapterPlacement placement = new(backbone, seed: 1);
        switch (config.PeftType)
        {
            case "P_TUNING":
                placement.PlaceAtInputs(PTuningMethod.From(config, []), Inputs(backbone));
                break;
            case "PREFIX_TUNING":
                placement.PlaceAtInputs(Prefix(config), Inputs(backbone));
                break;
            case "LORA":
                foreach (Projection site in Targets(backbone, config))
                    placement.Place(Lora(config), site.Module);
                break;
            default:
                throw config.Invalid("peft_type", "P_TUNING, PREFIX_TUNING or LORA: a folder of any other method holds numbers to go on from");
        }
        return placement;
    }

    private static PrefixTuningMethod Prefix(AdapterConfig config) => new()
    {
        VirtualTokens = (int)config.Number("num_virtual_tokens", 0),
        PrefixProjection = config.Flag("prefix_projection"),
        EncoderSize = (int)config.Number("encoder_hidden_size", 0),
    };

    private static LoraMethod Lora(AdapterConfig config) => new()
    {
        Rank = (int)config.Number("r", 8),
        Alpha = config.Number("lora_alpha", 8),
        UseRslora = config.Flag("use_rslora"),
        Initialization = !config.IsText("init_lora_weights") ? throw OtherStart(config) : config.Text("init_lora_weights") switch
        {
            "pissa" => LoraInitialization.Pissa,
            "olora" => LoraInitialization.Olora,
            _ => throw OtherStart(config),
        },
    };

    private static RecipeException OtherStart(AdapterConfig config) => config.Invalid("init_lora_weights", "\"pissa\" or \"olora\": the numbers of any other start are in the folder");

    private static IEnumerable<Projection> Targets(Backbone backbone, AdapterConfig config) =>
        backbone.Weights.Projections.Where(site => config.Texts("target_modules").Any(target => site.Module.EndsWith($".{target}", StringComparison.Ordinal)));

    private static string Inputs(Backbone backbone) => backbone.Weights.AllSites.OfType<InputSite>().Single().Module;
}
