using System.Collections.Immutable;
using FlatPO.Recipes.Generator.Rules;
using Microsoft.CodeAnalysis;

namespace FlatPO.Recipes.Generator.Diagnostics;

/// <summary>Every diagnostic of the compiler. The runtime reports the same mistake under the same id; each has a page in docs/diagnostics.</summary>
internal static class RecipeDiagnostics
{
    /// <summary>Where the pages are.</summary>
    public const string HelpBase = "https://github.com/flatpo/recipes/blob/main/docs/diagnostics/";

    /// <summary>The tag of a descriptor whose findings may carry a suggestion for the argument.</summary>
    private const string Suggests = "Suggests";

    /// <summary>Bounds that an annotation outside the library declares under an id of its own.</summary>
    private const string ForeignBounds = "FPO0012";

    /// <summary>The message of every value out of bounds, in the runtime's words.</summary>
    private const string OutOfBounds = "{0} is out of bounds{1}; allowed is {2}";

    public static ImmutableArray<DiagnosticDescriptor> All { get; } =
    [
        .. Declaration(), .. Placement(), .. Sharpness(), .. Data(),
    ];

    /// <summary>The ids whose diagnostics may carry what should stand in place of the argument they mark.</summary>
    public static ImmutableArray<string> Suggesting { get; } = [.. All.Where(descriptor => descriptor.CustomTags.Contains(Suggests)).Select(descriptor => descriptor.Id)];

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
        Create("FPO0007", "The compiler knows no such backbone", "The compiler sees no config.json of '{0}': add <FlatPOBackbone Include=\"{1}/config.json\" /> to the project, or name a model of the catalogue (nearest is '{2}')", Suggests),
        Create("FPO0008", "A config.json cannot be used", "The configuration '{0}' cannot be used: {1}"),
        Create("FPO0009", "No backbone class for this model type", "'{0}' is of model_type '{1}', which no backbone class declares; declared are {2}"),
        Create("FPO0010", "The backbone cannot do the task", "The {0} backbone has no class for {1}; it can do {2}"),
        Create("FPO0011", "A member has the name of a generated one", "'{0}' declares '{1}', which its generated part declares too; rename yours"),
        Create(ForeignBounds, "A value is out of its declared bounds", $"{OutOfBounds} (declared as {{3}})", Suggests),
        Create("FPO0013", "An annotation does not say what it stands for", "[{0}] cannot be used in a recipe: {1}"),
    ];

    private static IEnumerable<DiagnosticDescriptor> Placement() =>
    [
        Create("FPO1001", "No such module to adapt", "The {0} backbone has no module '{1}'; nearest is '{2}' (of {3})", Suggests),
        Create("FPO1002", "No such site to adapt", "The {0} backbone has no site {1}; it has {2}"),
        Create("FPO1003", "The layers do not exist", "The range '{0}' {1}: the backbone has {2}, counted from 0", Suggests),
        Create("FPO1004", "Not a range of layers", "'{0}' is not a range: write it as in C#, for example \"8..16\", \"..4\" or \"^4..\""),
        Bounded("FPO1005", "The rank does not fit"),
        Bounded("FPO1006", "The scale of an adapter is out of bounds"),
        Bounded("FPO1007", "The dropout of an adapter is out of bounds"),
        Create("FPO1009", "Some sites do not exist", "The {0} backbone has no site {1}; only {2} will be adapted"),
        Create("FPO1010", "No such module to train whole", "The {0} backbone has no module '{1}' to train whole; nearest is '{2}' (of {3})", Suggests),
        Create("FPO1011", "A module is taken twice", "'{0}' is adapted by [{1}] and named in ModulesToSave; a module carries an adapter or is trained whole"),
        Create("FPO1012", "Sites are named twice", "TargetModules replaces Sites, so Sites = {0} has no effect"),
        Create("FPO1013", "One name, two towers", "{0} is in the {1} tower, and both are adapted; write Towers = Towers.{2} for the one, Towers.All if both are meant"),
        Create("FPO1014", "A tied weight cannot be merged", "'{0}' is tied to {1}: what is trained there can be saved as an adapter but not merged, so the recipe has no Merge"),
        Create("FPO1015", "The scale of an adapter is unusual", "{0}, where {1} is usual{2}{3}"),
        Create("FPO1016", "Two settings exclude each other", "{0} excludes {1}: {2}{3}"),
        Create("FPO1017", "A bias cannot be merged", "{0} cannot be merged: no bias at {1}{2}"),
        Create("FPO1018", "Roles that are not adapted", "{0} names {1}, which are not among {2}: {3}{4}"),
        Create("FPO1021", "These modules have a site's name", "On the {0} backbone these modules are {1}: Sites = {1} names them on every backbone"),
        Create("FPO1022", "A pattern matches nothing", "No module of the {0} backbone matches '{1}'; a pattern is held against whole paths, for example {2}"),
        Create("FPO1023", "No such tower", "The {0} backbone has no tower {1}; it has {2}"),
        Create("FPO1025", "The adapter is for other tasks", "[{0}] cannot be trained for {1}; it is for {2}"),
        Create("FPO1026", "A module is named twice", "'{0}' stands twice in {1}; once is enough"),
        Create("FPO1028", "The head begins at random and is not trained", "'{0}' was saved as {1}, without the head this task needs: it begins at random, so train it whole with ModulesToSave = [\"{2}\"]"),
        Bounded("FPO1030", "The learning rate of B is out of bounds"),
        Create("FPO1031", "An entry is not name=number", "'{0}' is not name=number: write a module's name, = and {1}, for example \"up_proj=4\""),
        Create("FPO1032", "An entry names no adapted module", "No adapted module of the {0} backbone is named '{1}'; nearest is '{2}' (adapted are {3})", Suggests),
        Bounded("FPO1040", "The rank of a shared projection is out of bounds"),
        Bounded("FPO1041", "The start of a trained scale is out of bounds"),
        Bounded("FPO1042", "The key of random numbers is out of bounds"),
        Bounded("FPO1043", "The bottleneck does not fit"),
        Create("FPO1050", "The adapter cannot sit there", "{0} cannot sit at {1}; it takes {2}"),
        Create("FPO1051", "An adapter's tensor would be empty", "{0} cannot sit at {1} of the {2} backbone: {3} would have no numbers there"),
        Create("FPO1055", "Two adapters take one site", "[{0}] and [{1}] both take {2}; a site takes one adapter: give them other Sites"),
        Create("FPO1056", "Two adapters take different layers", "[{0}] takes layers {1}, where the adapter before it takes {2}; adapters in the layers take the same ones"),
        Bounded("FPO1053", "The number of virtual tokens is out of bounds"),
        Bounded("FPO1054", "The width of a prompt encoder is out of bounds"),
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
        Create("FPO2012", "A learning rate of 0", "LearningRate = 0 leaves [{0}] nothing to move: the adapters stay as they begin"),
        Create("FPO2013", "Most of the run is warm-up", "WarmupRatio = {0} spends {1} % of the run below its learning rate; 0.03 to 0.1 is usual"),
        Create("FPO2014", "The decay rates look swapped", "Beta1 = {0} is larger than Beta2 = {1}: the mean of gradients usually forgets faster than the mean of their squares"),
        Create("FPO2015", "An adaptive climb with a plain length", "Adaptive measures the climb relative to each weight, where the default Rho = {0} is short; write a Rho, about ten times that"),
        Create("FPO2016", "One tensor is more than the fraction", "Fraction = {0} of {1} tensors is less than one, so one is perturbed: {2} %"),
    ];

    private static IEnumerable<DiagnosticDescriptor> Data() =>
    [
        Bounded("FPO3001", "The number of epochs is out of bounds"),
        Bounded("FPO3002", "The batch size is out of bounds"),
        Bounded("FPO3003", "The gradient accumulation is out of bounds"),
        Bounded("FPO3004", "The maximum length is out of bounds"),
        Bounded("FPO3005", "The seed is out of bounds"),
        Create("FPO3006", "Texts longer than the backbone's positions", "MaxLength = {0} is more than '{1}' has positions for; allowed is at most {2}", Suggests),
        Create("FPO3007", "A length without texts", "MaxLength = {0} has no effect: '{1}' reads no tokens"),
        Create("FPO3008", "The backbone does not fit the device", "'{0}' with its adapters and optimizer needs {1} before the first example, and DeviceMemory is {2}; take {3}"),
        Create("FPO3009", "The batch does not fit the device", "A step needs about {0} and what the allocator reserves on top, and DeviceMemory is {1}: {2} of that are activations and logits of {3}; lower BatchSize (and raise GradientAccumulation) or MaxLength"),
        Create("FPO3015", "Float16 cannot train", "Float16 has no room for small gradients without a loss scaler, which recipes do not have; use Precision.BFloat16", Suggests),
        Create("FPO3016", "The largest image does not fit a row", "An image of MaxPixels = {0} is {1} tokens with its two marks, more than MaxLength = {2}; allowed is MaxLength of at least {1}", Suggests),
        Create("FPO3017", "A pixel budget without image tokens", "MaxPixels = {0} has no effect: '{1}' reads no images as tokens"),
        Bounded("FPO3018", "The pixel budget is out of bounds"),
        Bounded("FPO3019", "The device's memory is out of bounds"),
        Create("FPO3040", "Nothing to tell apart", "BatchSize = 1 leaves each image with its own text alone, and the loss is 0 whatever the adapters do; allowed is at least 2"),
        Create("FPO3041", "Accumulation adds nothing to tell apart", "GradientAccumulation = {0} adds no examples to tell apart: each is compared within its micro-batch of {1}"),
    ];

    private static DiagnosticDescriptor Bounded(string id, string title) => Create(id, title, OutOfBounds, Suggests);

    private static DiagnosticDescriptor Create(string id, string title, string message, params string[] tags) => new(
        id, title, message, "FlatPO.Recipes", SeverityOf(id), isEnabledByDefault: true, helpLinkUri: $"{HelpBase}{id}.md", customTags: tags);

    private static DiagnosticSeverity SeverityOf(string id) => Severities.Of(id) switch
    {
        Severity.Info => DiagnosticSeverity.Info,
        Severity.Warning => DiagnosticSeverity.Warning,
        _ => DiagnosticSeverity.Error,
    };
}
