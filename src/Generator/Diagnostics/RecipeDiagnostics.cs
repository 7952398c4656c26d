using System.Collections.Immutable;
using FlatPO.Recipes.Generator.Rules;
using Microsoft.CodeAnalysis;

namespace FlatPO.Recipes.Generator.Diagnostics;

/// <summary>Every diagnostic of the compiler. The runtime reports the same mistake under the same id; each has a page in docs/diagnostics.</summary>
internal static class RecipeDiagnostics
{
    /// <summary>Where the pages are.</summary>
    public const string HelpBase = "https://github.com/flatpo/recipes/blob/main/docs/diagnostics/";

    /// <summary>Bounds that an annotation outside the library declares under an id of its own.</summary>
    private const string ForeignBounds = "FPO0012";

    /// <summary>The message of every value out of bounds, in the runtime's words.</summary>
    private const string OutOfBounds = "{0} is out of bounds{1}; allowed is {2}";

    public static ImmutableArray<DiagnosticDescriptor> All { get; } =
    [
        .. Declaration(), .. Placement(), .. Sharpness(), .. Data(),
    ];

    /// <summary>The descriptor of an id.</summary>
    public static DiagnosticDescriptor For(string id) =>
        All.FirstOrDefault(descriptor => descriptor.Id == id) ?? All.First(descriptor => descriptor.Id == ForeignBounds);

    private static IEnumerable<DiagnosticDescriptor> Declaration() =>
    [
        Create("FPO0001", "A recipe must be partial", "'{0}' must be declared partial: its training code is generated into the same class"),
        Create("FPO0002", "A recipe must be a class that can be loaded", "'{0}' {1}"),
        Create("FPO0003", "A recipe names its backbone", "'{0}' has no [Backbone]: name a folder in Hugging Face layout or a well-known model id"),
        Create("FPO0004", "A recipe places an adapter", "'{0}' has no adapter: add one, for example [Lora(Rank = 8)]"),
        Create("FPO0005", "A recipe has an optimizer", "'{0}' has no optimizer: add one, for example [AdamW(LearningRate = 1e-4)]"),
        Create("FPO0006", "A recipe has one of a kind", "'{0}' has more than one {1}: [{2}] and [{3}]; keep one"),
        Create("FPO0007", "The compiler knows no such backbone", "The compiler sees no config.json of '{0}': add <FlatPOBackbone Include=\"{1}/config.json\" /> to the project, or name a model of the catalogue (nearest is '{2}')"),
        Create("FPO0008", "A config.json cannot be used", "The configuration '{0}' cannot be used: {1}"),
        Create("FPO0009", "No backbone class for this model type", "'{0}' is of model_type '{1}', which no backbone class declares; declared are {2}"),
        Create("FPO0010", "The backbone cannot do the task", "The {0} backbone has no class for {1}; it can do {2}"),
        Create("FPO0011", "A member has the name of a generated one", "'{0}' declares '{1}', which its generated part declares too; rename yours"),
        Create(ForeignBounds, "A value is out of its declared bounds", $"{OutOfBounds} (declared as {{3}})"),
        Create("FPO0013", "An annotation does not say what it stands for", "[{0}] cannot be used in a recipe: {1}"),
    ];

    private static IEnumerable<DiagnosticDescriptor> Placement() =>
    [
        Create("FPO1001", "No such module to adapt", "The {0} backbone has no linear layer '{1}'; nearest is '{2}' (of {3})"),
        Create("FPO1002", "No such site to adapt", "The {0} backbone has no site {1}; it has {2}"),
        Create("FPO1003", "The layers do not exist", "The range '{0}' {1}: the backbone has {2} layers, counted from 0"),
        Create("FPO1004", "Not a range of layers", "'{0}' is not a range: write it as in C#, for example \"8..16\", \"..4\" or \"^4..\""),
        Bounded("FPO1005", "The rank does not fit"),
        Bounded("FPO1006", "The scale of an adapter is out of bounds"),
        Bounded("FPO1007", "The dropout of an adapter is out of bounds"),
        Create("FPO1009", "Some sites do not exist", "The {0} backbone has no site {1}; only {2} will be adapted"),
        Create("FPO1010", "No such module to train whole", "The {0} backbone has no linear layer '{1}' to train whole; nearest is '{2}' (of {3})"),
        Create("FPO1011", "A module is taken twice", "'{0}' is adapted by [{1}] and named in ModulesToSave; a module carries an adapter or is trained whole"),
        Create("FPO1012", "Sites are named twice", "TargetModules replaces Sites, so Sites = {0} has no effect"),
        Create("FPO1015", "The scale of an adapter is unusual", "{0}, where {1} is usual{2}{3}"),
        Create("FPO1016", "Two settings exclude each other", "{0} excludes {1}: {2}{3}"),
        Create("FPO1017", "A bias cannot be merged", "{0} cannot be merged: no bias at {1}{2}"),
        Create("FPO1018", "Roles that are not adapted", "{0} names {1}, which are not among {2}: {3}{4}"),
    ];

    private static IEnumerable<DiagnosticDescriptor> Sharpness() =>
    [
        Bounded("FPO2001", "The length of the climb is out of bounds"),
        Bounded("FPO2002", "The share of perturbed tensors is out of bounds"),
        Bounded("FPO2003", "The learning rate is out of bounds"),
        Bounded("FPO2004", "The weight decay is out of bounds"),
        Bounded("FPO2005", "A decay rate of the optimizer is out of bounds"),
        Bounded("FPO2006", "The optimizer's epsilon is out of bounds"),
        Bounded("FPO2007", "The warm-up is out of bounds"),
        Bounded("FPO2008", "The gradient norm to clip at is out of bounds"),
        Create("FPO2009", "Every tensor is perturbed", "Fraction = {0} of {1} tensors in scope is all of them: this trains as SAM"),
        Create("FPO2010", "Nothing in scope to perturb", "[{0}] has no tensor in its scope {1}; the adapters sit at {2}"),
        Create("FPO2011", "A climb of length 0", "Rho = 0 makes [{0}] train as {1} alone, at twice the cost"),
    ];

    private static IEnumerable<DiagnosticDescriptor> Data() =>
    [
        Bounded("FPO3001", "The number of epochs is out of bounds"),
        Bounded("FPO3002", "The batch size is out of bounds"),
        Bounded("FPO3003", "The gradient accumulation is out of bounds"),
        Bounded("FPO3004", "The maximum length is out of bounds"),
        Bounded("FPO3005", "The seed is out of bounds"),
        Create("FPO3006", "Texts longer than the backbone's positions", "MaxLength = {0} is more than '{1}' has positions for; allowed is at most {2}"),
        Create("FPO3007", "A length without texts", "MaxLength = {0} has no effect: '{1}' reads no tokens"),
    ];

    private static DiagnosticDescriptor Bounded(string id, string title) => Create(id, title, OutOfBounds);

    private static DiagnosticDescriptor Create(string id, string title, string message) => new(
        id, title, message, "FlatPO.Recipes", Findings.IsWarning(id) ? DiagnosticSeverity.Warning : DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: $"{HelpBase}{id}.md");
}
