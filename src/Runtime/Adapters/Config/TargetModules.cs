using System.Text.RegularExpressions;
using FlatPO.Recipes.Backbones;

namespace FlatPO.Recipes.Adapters.Config;

/// <summary>Which modules <c>target_modules</c> and <c>layers_to_transform</c> mean (peft <c>tuners_utils.py</c>, <c>check_target_module_exists</c>), and how to say it the other way round.</summary>
internal static partial class TargetModules
{
    // peft utils/constants.py, SEQ_CLS_HEAD_NAMES: added to the modules_to_save of every sequence classifier
    private static readonly string[] Classifiers = ["score", "classifier"];

    /// <summary>The sites among <paramref name="possible"/> that an adapter_config.json names, in module order; FPO4011 if a name matches nothing.</summary>
    internal static IReadOnlyList<Site> Match(Backbone backbone, IReadOnlyList<Site> possible, AdapterConfig config)
    {
        IReadOnlyList<string> targets = config.Texts("target_modules");
        IReadOnlyList<int> layers = config.Integers("layers_to_transform");
        IReadOnlyList<string> named = config.Texts("layers_pattern");
        Site[] candidates = [.. possible.Where(site => layers.Count == 0 || LayerOf(site.Module, named) is { } layer && layers.Contains(layer))];
        if (!config.IsList("target_modules") && targets is [string pattern])
            return Some(config, [.. candidates.Where(site => IsMatch(pattern, site.Module))]);
        foreach (string target in targets)
            if (!possible.Any(site => Names(target, site.Module)))
                throw config.Invalid("target_modules", $"names of modules of the {backbone.Config.ModelType} backbone that the method takes; '{target}' matches none of {string.Join(", ", Suffixes(possible))}");
        return Some(config, [.. candidates.Where(site => targets.Any(target => Names(target, site.Module)))]);
    }

    /// <summary>
    /// The projections a name of <c>modules_to_save</c> means: a linear layer, or all that a module is made of; FPO4011 if there are none. Of <see cref="Classifiers"/> a
    /// model has one, and peft names them all.
    /// </summary>
    internal static IReadOnlyList<Site> Whole(Backbone backbone, AdapterConfig config, string name) =>
        backbone.Weights.AllSites.Where(site => site.Parts.Count > 0 && Parents(site.Module).Any(module => Names(name, module))).ToArray() is { Length: > 0 } found
            ? found
            : config.Text("task_type") == "SEQ_CLS" && Classifiers.Contains(name) ? []
            : throw config.Invalid("modules_to_save", $"names of linear layers of the {backbone.Config.ModelType} backbone; '{name}' matches none of {string.Join(", ", Suffixes(backbone.Weights.AllSites))}");

    /// <summary>
    /// Whether an entry of module names or one pattern means this site by peft's looser rule for it: the path ends in the name, wherever its parts begin
    /// (<c>ia3/model.py</c>, <c>_check_target_module_feedforward</c>).
    /// </summary>
    internal static bool NamesEnd(AdapterConfig config, string key, Site site) => config.IsText(key)
        ? IsMatch(config.Text(key)!, site.Module)
        : config.Texts(key).Any(name => site.Module.EndsWith(name, StringComparison.Ordinal));

    /// <summary>The shortest <c>modules_to_save</c> that mean exactly <paramref name="whole"/>: a module once where all that it is made of is trained, as peft trains it.</summary>
    internal static IReadOnlyList<string> DescribeWhole(Backbone backbone, IReadOnlyList<Site> whole)
    {
        Weight[] trained = [.. whole.SelectMany(site => site.Weights)];
        bool IsWhole(string module) => backbone.Weights.All.Where(weight => weight.Name.StartsWith($"{module}.", StringComparison.Ordinal)).ToArray() is { Length: > 0 } parts && parts.All(trained.Contains);
        return [.. whole.Select(site => Parents(site.Module).LastOrDefault(IsWhole) ?? site.Module).Distinct()];
    }

    /// <summary>The shortest <c>target_modules</c> that mean exactly <paramref name="sites"/>, and <c>layers_to_transform</c> (empty for all layers).</summary>
    internal static (IReadOnlyList<string> Targets, IReadOnlyList<int> Layers) Describe(Backbone backbone, IReadOnlyList<Site> sites, bool selectsLayers)
    {
        string[] others = [.. OtherModules(backbone.Weights)];
        string[] suffixes = [.. sites.Select(site => ShortestEnd(site.Module, others)).Distinct()];
        int[] layers = [.. sites.Select(site => LayerOf(site.Module)).OfType<int>().Distinct().Order()];
        Site[] everywhere = [.. backbone.Weights.AllSites.Where(projection => suffixes.Any(suffix => Names(suffix, projection.Module)))];
        if (everywhere.Length == sites.Count)
            return (suffixes, []);
        Site[] inLayers = [.. everywhere.Where(projection => LayerOf(projection.Module) is { } layer && layers.Contains(layer))];
        return selectsLayers && inLayers.Length == sites.Count ? (suffixes, layers) : ([.. sites.Select(site => site.Module)], []);
    }

    /// <summary>The number in a module path that names its layer; null outside the layers.</summary>
    private static int? LayerOf(string module) => LayerNumber().Match(module) is { Success: true } match ? int.Parse(match.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture) : null;

    /// <summary>The same where <c>layers_pattern</c> says what stands before the number; of several patterns the first that is there.</summary>
    private static int? LayerOf(string module, IReadOnlyList<string> patterns) => patterns.Count == 0
        ? LayerOf(module)
        : patterns.Select(pattern => Regex.Match(module, $@"^(?:.*?\.)??{pattern}\.(?<layer>\d+)\.", RegexOptions.None, TimeSpan.FromSeconds(1))).FirstOrDefault(match => match.Success) is { } found
            ? int.Parse(found.Groups["layer"].ValueSpan, System.Globalization.CultureInfo.InvariantCulture)
            : null;

    /// <summary>A module and the modules it is part of, from the inside out.</summary>
    private static IEnumerable<string> Parents(string module)
    {
        for (int end = module.Length; end > 0; end = module.LastIndexOf('.', end - 1))
            yield return module[..end];
    }

    /// <summary>Whether a name of <c>target_modules</c> means this module.</summary>
    internal static bool Names(string target, string module) => module == target || module.EndsWith($".{target}", StringComparison.Ordinal);

    private static bool IsMatch(string pattern, string module) => Regex.IsMatch(module, $"^(?:{pattern})$", RegexOptions.None, TimeSpan.FromSeconds(1));

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
        HashSet<string> linear = [.. weights.AllSites.SelectMany(projection => new[] { projection.Module, projection.Published })];
        IEnumerable<string> paths = weights.All.Select(weight => weight.Name)
            .SelectMany(name => name.Select((letter, i) => letter == '.' ? name[..i] : "").Where(path => path.Length > 0));
        return paths.Where(path => !linear.Contains(path)).Distinct();
    }

    private static IEnumerable<string> Suffixes(IEnumerable<Site> projections) =>
        projections.Select(projection => projection.Module[(projection.Module.LastIndexOf('.') + 1)..]).Distinct();

    private static Site[] Some(AdapterConfig config, Site[] matched) =>
        matched.Length > 0 ? matched : throw config.Invalid("target_modules", "names or a pattern that match at least one linear layer of the backbone");

    [GeneratedRegex(@"\.(\d+)\.")]
    private static partial Regex LayerNumber();
}
