using System.Text.Json.Nodes;
using FlatPO.Recipes.Adapters.Config;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters.Ia3;

/// <summary>(IA)³ (arXiv 2205.05638; peft <c>tuners/ia3</c>): one trained vector a site, which scales the output, or the input at feed-forward sites.</summary>
public sealed class Ia3Method : AdapterMethod<Ia3Vector>
{
    internal const string Type = "IA3";

    private const string FeedForwardKey = "feedforward_modules";

    /// <inheritdoc cref="Ia3Attribute.FeedForward"/>
    public Sites FeedForward { get; init; } = Sites.Down;

    /// <inheritdoc/>
    public override string PeftType => Type;

    /// <inheritdoc/>
    public override bool SelectsLayers => false;

    /// <inheritdoc/>
    public override Ia3Vector Place(Projection site, Generator random)
    {
        bool scalesInput = IsFeedForward(site);
        Tensor initial = scalesInput ? ones(1, site.In) : ones(site.Out, 1);
        return new Ia3Vector(new TrainableTensor($"{site.Module}.ia3_l", site.Role, TrainableKind.Adapter, initial), scalesInput);
    }

    /// <summary>The method an adapter folder was trained with; the roles of the sites that <c>feedforward_modules</c> names are <see cref="FeedForward"/>.</summary>
    public static Ia3Method From(AdapterConfig config, IReadOnlyList<Site> sites)
    {
        Ia3Method method = new() { FeedForward = sites.Where(site => TargetModules.NamesEnd(config, FeedForwardKey, site)).Aggregate(Sites.None, (roles, site) => roles | site.Role) };
        method.CheckConfig(config, sites);
        return method;
    }

    /// <inheritdoc/>
    public override void WriteConfig(JsonObject config, IReadOnlyList<Site> sites)
    {
        config["fan_in_fan_out"] = false;
        string[] targets = [.. config["target_modules"]!.AsArray().Select(target => target!.GetValue<string>())];
        string[] inside = [.. targets.Where(target => sites.Any(site => IsFeedForward(site) && TargetModules.Names(target, site.Module)))];
        if (sites.FirstOrDefault(site => !IsFeedForward(site) && inside.Any(target => TargetModules.Names(target, site.Module))) is not null)
        {
            // one name for sites of both kinds: peft can tell them apart by their full paths alone
            inside = [.. sites.Where(IsFeedForward).Select(site => site.Module)];
            config["target_modules"] = new JsonArray([.. sites.Select(site => JsonValue.Create(site.Module))]);
        }
        config[FeedForwardKey] = new JsonArray([.. inside.Select(target => JsonValue.Create(target))]);
        config["init_ia3_weights"] = true;
    }

    /// <inheritdoc/>
    public override void CheckConfig(AdapterConfig config, IReadOnlyList<Site> sites)
    {
        if (!config.IsText(FeedForwardKey) && !config.IsList(FeedForwardKey))
            throw config.Invalid(FeedForwardKey, "a list of module names or one pattern");
        if (sites.FirstOrDefault(site => TargetModules.NamesEnd(config, FeedForwardKey, site) != IsFeedForward(site)) is { } other)
            throw config.Invalid(FeedForwardKey, $"names of the feed-forward sites of this adapter, {FeedForward}; {other.Module} is {(IsFeedForward(other) ? "one" : "none")} of them");
        if (config.Flag("fan_in_fan_out"))
            throw config.Invalid("fan_in_fan_out", "false");
    }

    private bool IsFeedForward(Site site) => (site.Role & FeedForward) != 0;
}
