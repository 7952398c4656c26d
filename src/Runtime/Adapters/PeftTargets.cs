using System.Text.RegularExpressions;
using FlatPO.Recipes.Backbones;

namespace FlatPO.Recipes.Adapters;

/// <summary>Which modules <c>target_modules</c> and <c>layers_to_transform</c> mean (peft <c>tuners_utils.py</c>, <c>check_target_module_exists</c>), and how to say it the other way round.</summary>
internal static partial class PeftTargets
{
    /// <summary>The projections that an adapter_config.json names, in module order; FPO4011 if a name matches nothing.</summary>
    internal static IReadOnlyList<Projection> Match(Backbone backbone, AdapterConfig config)
    {
        IReadOnlyList<string> targets = config.Texts("target_modules");
        IReadOnlyList<int> layers = config.Integers("layers_to_transform");
        Projection[] candidates = [.. backbone.Weights.Projections.Where(projection => layers.Count == 0 || LayerOf(projection.Module) is { } layer && layers.Contains(layer))];
        if (!config.IsList("target_modules") && targets is [string pattern])
            return Some(config, [.. candidates.Where(projection => Regex.IsMatch(projection.Module, $"^(?:{pattern})$", RegexOptions.None, TimeSpan.FromSeconds(1)))]);
        foreach (string target in targets)
            if (!backbone.Weights.Projections.Any(projection => Names(target, projection.Module)))
                throw config.Invalid("target_modules", $"names of linear layers of the {backbone.Config.ModelType} backbone; '{target}' matches none of {string.Join(", ", Suffixes(backbone.Weights.Projections))}");
        return Some(config, [.. candidates.Where(projection => targets.Any(target => Names(target, projection.Module)))]);
    }

    /// <summary>The projections a name of <c>modules_to_save</c> means; FPO4011 if there are none.</summary>
    internal static IReadOnlyList<Projection> Whole(Backbone backbone, AdapterConfig config, string name) =>
        backbone.Weights.Projections.Where(projection => Names(name, projection.Module)).ToArray() is { Length: > 0 } found
            ? found
            : throw config.Invalid("modules_to_save", $"names of linear layers of the {backbone.Config.ModelType} backbone; '{name}' matches none of {string.Join(", ", Suffixes(backbone.Weights.Projections))}");

    /// <summary>The shortest <c>target_modules</c> that mean exactly <paramref name="sites"/>, and <c>layers_to_transform</c> (empty for all layers).</summary>
    internal static (IReadOnlyList<string> Targets, IReadOnlyList<int> Layers) Describe(Backbone backbone, IReadOnlyList<Projection> sites)
    {
        string[] others = [.. OtherModules(backbone.Weights)];
        string[] suffixes = [.. sites.Select(site => ShortestEnd(site.Module, others)).Distinct()];
        int[] layers = [.. sites.Select(site => LayerOf(site.Module)).OfType<int>().Distinct().Order()];
        Projection[] everywhere = [.. backbone.Weights.Projections.Where(projection => suffixes.Any(suffix => Names(suffix, projection.Module)))];
        if (everywhere.Length == sites.Count)
            return (suffixes, []);
        Projection[] inLayers = [.. everywhere.Where(projection => LayerOf(projection.Module) is { } layer && layers.Contains(layer))];
        return inLayers.Length == sites.Count ? (suffixes, layers) : ([.. sites.Select(site => site.Module)], []);
    }

    /// <summary>The number in a module path that names its layer; null outside the layers.</summary>
    private static int? LayerOf(string module) => LayerNumber().Match(module) is { Success: true } match ? int.Parse(match.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture) : null;

    private static bool Names(string target, string module) => module == target || module.EndsWith($".{target}", StringComparison.Ordinal);

    // peft would match these as well: "0" names a block and "proj" the patch embedding (_find_minimal_target_modules)
    private static string ShortestEnd(string module, string[] others)
    {
        int start = module.LastIndexOf('.') + 1;
        while (start > 0 && others.Any(other => Names(module[start..], other)))
            start = start < 2 ? 0 : module.LastIndexOf('.', start - 2) + 1;
        return module[start..];
    }

    // Every module on the way to a weight that is no linear layer.
    private static IEnumerable<string> OtherModules(WeightTable weights)
    {
        HashSet<string> linear = [.. weights.Projections.SelectMany(projection => new[] { projection.Module, projection.Published })];
        IEnumerable<string> paths = weights.All.Select(weight => weight.Name)
            .SelectMany(name => name.Select((letter, i) => letter == '.' ? name[..i] : "").Where(path => path.Length > 0));
        return paths.Where(path => !linear.Contains(path)).Distinct();
    }

    private static IEnumerable<string> Suffixes(IEnumerable<Projection> projections) =>
        projections.Select(projection => projection.Module[(projection.Module.LastIndexOf('.') + 1)..]).Distinct();

    private static Projection[] Some(AdapterConfig config, Projection[] matched) =>
        matched.Length > 0 ? matched : throw config.Invalid("target_modules", "names or a pattern that match at least one linear layer of the backbone");

    [GeneratedRegex(@"\.(\d+)\.")]
    private static partial Regex LayerNumber();
}
