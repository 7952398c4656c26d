using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Adapters.VisualPrompt;
using FlatPO.Recipes.Backbones;

namespace FlatPO.Recipes.Tests.Adapters;

/// <summary>
/// What a fresh recipe places, from its annotations as a row of allowed.txt writes them: the text that the compiler read there, its properties given to the runtime's
/// methods.
/// </summary>
internal sealed partial class FreshMethod
{
    private readonly (AdapterMethod Method, Sites Sites)[] methods;

    internal FreshMethod(string annotations) =>
        methods = [.. Annotation().Matches(annotations).Select(match => Annotated(match.Groups["name"].Value, match.Groups["properties"].Value)).Select(attribute => (Realized(attribute), attribute.Sites))];

    /// <summary>The methods alone.</summary>
    internal IEnumerable<AdapterMethod> Methods => methods.Select(placed => placed.Method);

    /// <summary>
    /// What the logits of a fresh one are, bit for bit: <c>base</c>, those of the base; <c>tokens</c>, those of the base with the prompt's vectors read before the text as a
    /// token's are; <c>cache</c>, those of the base with the prefix in its cache; <c>patches</c>, those of the base with the prompt's vectors read as patches.
    /// </summary>
    internal string Identity => Methods.Select(IdentityOf).MaxBy(identity => identity != "base")!;

    /// <summary>Whether copies of the base's own numbers are trained: float32, in which a layer of a bfloat16 base then computes.</summary>
    internal bool TrainsOwnNumbers => Methods.Any(method => method is ILinearMethod<TrainedWeights> or INormMethod<TrainedWeights> or LoraMethod { Bias: LoraBiasTraining.All });

    /// <summary>Places them as the recipe would.</summary>
    internal AdapterPlacement On(Backbone backbone)
    {
        AdapterPlacement placement = new(backbone, seed: 1);
        foreach ((AdapterMethod method, Sites sites) in methods)
            placement.PlaceAtAll(method, sites);
        return placement;
    }

    private static string IdentityOf(AdapterMethod method) => method switch
    {
        IInputMethod<PrefixAdapter> => "cache",
        IInputMethod<VisualPrompts> => "patches",
        IInputMethod<PromptAdapter> => "tokens",
        _ => "base",
    };

    private static AdapterAttribute Annotated(string name, string properties)
    {
        Type type = typeof(AdapterAttribute).Assembly.GetType($"FlatPO.Recipes.{name}Attribute", throwOnError: true)!;
        AdapterAttribute attribute = (AdapterAttribute)Activator.CreateInstance(type)!;
        foreach (Match set in Property().Matches(properties))
        {
            PropertyInfo property = type.GetProperty(set.Groups["name"].Value)!;
            property.SetValue(attribute, Value(property.PropertyType, set.Groups["value"].Value));
        }
        return attribute;
    }

    // the properties that both have, by name: as the emitted construction sets them
    private static AdapterMethod Realized(AdapterAttribute attribute)
    {
        Type type = attribute.GetType().GetCustomAttribute<RealizedByAttribute>()!.Type;
        AdapterMethod method = (AdapterMethod)Activator.CreateInstance(type)!;
        foreach (PropertyInfo property in type.GetProperties().Where(property => property.CanWrite))
            property.SetValue(method, attribute.GetType().GetProperty(property.Name)!.GetValue(attribute));
        return method;
    }

    private static object Value(Type type, string text) => type switch
    {
        { IsEnum: true } => Enum.Parse(type, string.Join(',', text.Split('|').Select(member => member.Trim()[(type.Name.Length + 1)..]))),
        { IsArray: true } => Quoted().Matches(text).Select(match => match.Groups[1].Value).ToArray(),
        _ => Convert.ChangeType(text, type, CultureInfo.InvariantCulture),
    };

    [GeneratedRegex(@"(?<name>\w+)(?:\((?<properties>[^)]*)\))?(?:, |$)")]
    private static partial Regex Annotation();

    [GeneratedRegex(@"(?<name>\w+) = (?<value>\[[^\]]*\]|[^,]+)")]
    private static partial Regex Property();

    [GeneratedRegex("\"([^\"]*)\"")]
    private static partial Regex Quoted();
}
