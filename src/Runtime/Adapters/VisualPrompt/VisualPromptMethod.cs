using System.Text.Json.Nodes;
using FlatPO.Recipes.Adapters.VirtualTokens;
using FlatPO.Recipes.Backbones;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters.VisualPrompt;

/// <summary>
/// Visual prompt tuning (arXiv 2203.12119): trained vectors beside the patches of every image, read by the first layer and handed on (shallow), or new ones for every
/// layer (<see cref="Deep"/>). peft has no such method; docs/adapters.md says what its folder holds.
/// </summary>
public sealed class VisualPromptMethod : AdapterMethod, IInputMethod<VisualPrompts>
{
    internal const string Type = "VISUAL_PROMPT";

    /// <inheritdoc cref="VisualPromptAttribute.VirtualTokens"/>
    public int VirtualTokens { get; init; } = 10;

    /// <inheritdoc cref="VisualPromptAttribute.Deep"/>
    public bool Deep { get; init; }

    /// <inheritdoc/>
    public override string PeftType => Type;

    /// <inheritdoc/>
    public override bool NamesTargets => false;

    /// <inheritdoc/>
    public VisualPrompts Place(InputSite site, Generator random)
    {
        Bounds.Check(typeof(VisualPromptAttribute), nameof(VirtualTokens), VirtualTokens);
        if (site.Table is not null)
            throw new RecipeException("FPO1051", $"{site.Module} takes the vectors of a text; a visual prompt stands beside the patches of an image");
        using var scope = NewDisposeScope();
        long layers = Deep ? site.Shape.Layers : 1;
        double bound = Math.Sqrt(6.0 / (site.Out + site.Out)); // Xavier, with a patch's vector for what comes in (§3.2)
        Tensor initial = DenseStart.Uniform([layers, VirtualTokens, site.Out], bound, random);
        return new VisualPrompts(InputTensors.Of(site, "visual_prompts", initial));
    }

    /// <summary>The method an adapter folder was trained with.</summary>
    public static VisualPromptMethod From(AdapterConfig config, IReadOnlyList<Site> sites)
    {
        VisualPromptMethod method = new() { VirtualTokens = VirtualTokenConfig.Count(config), Deep = config.Flag("deep") };
        method.CheckConfig(config, sites);
        return method;
    }

    /// <inheritdoc/>
    public override void WriteConfig(JsonObject config, IReadOnlyList<Site> sites)
    {
        VirtualTokenConfig.Write(config, VirtualTokens, sites);
        config["deep"] = Deep;
    }

    /// <inheritdoc/>
    public override void CheckConfig(AdapterConfig config, IReadOnlyList<Site> sites)
    {
        VirtualTokenConfig.Check(config, VirtualTokens, sites);
        if (config.Flag("deep") != Deep)
            throw config.Invalid("deep", $"{(Deep ? "true" : "false")}, as this adapter has it");
    }
}
