namespace FlatPO.Recipes.Generator.Model;

/// <summary>What an attribute on a recipe is for.</summary>
internal enum AnnotationKind
{
    Recipe,
    Backbone,
    Training,
    Adapter,
    Sharpness,
    Optimizer,
    Schedule,
}

/// <summary>One attribute on a recipe, as written and as its class declares it.</summary>
internal sealed record Annotation
{
    public required AnnotationKind Kind { get; init; }

    /// <summary>Where it stands among all attributes of the class.</summary>
    public required int Position { get; init; }

    /// <summary>The attribute class, <c>global::</c> qualified.</summary>
    public required string Type { get; init; }

    /// <summary>The name users write: <c>Lora</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The positional arguments.</summary>
    public required EquatableArray<Constant> Arguments { get; init; }

    /// <summary>Every property that can be written, base class first.</summary>
    public required EquatableArray<PropertyValue> Properties { get; init; }

    /// <summary>The runtime class behind it.</summary>
    public required Realization? Realization { get; init; }

    /// <summary>The tensors an adapter adds at each site.</summary>
    public required EquatableArray<AdapterTensor> Tensors { get; init; }

    /// <summary>The tasks an adapter is for, by enum number; empty for all.</summary>
    public required EquatableArray<long> Tasks { get; init; }

    /// <summary>Why an adapter cannot be merged; null where it can.</summary>
    public required string? CannotMerge { get; init; }

    /// <summary>Expression for the numbers an adapter keeps for backward at one position of a site.</summary>
    public required string KeepsForBackward { get; init; }

    /// <summary>Expression that is not 0 where an adapter is a low-rank update and nothing else.</summary>
    public required string IsLowRank { get; init; }

    /// <summary>Expression that is not 0 where an adapter makes a copy of its input whatever its format.</summary>
    public required string CopiesInput { get; init; }

    /// <summary>Positions an adapter adds to every example; null for none.</summary>
    public required PositionsModel? Added { get; init; }

    /// <summary>Numbers an optimizer keeps for every trained one.</summary>
    public required long OptimizerState { get; init; }

    /// <summary>What its class says of its properties together.</summary>
    public required SettingChecks Checks { get; init; }

    /// <summary>What its runtime class is created with. Where an adapter sits is not the method's business.</summary>
    public IEnumerable<PropertyValue> Passed => Properties.Where(property => !property.Places);

    /// <summary>A property by name, or null where the annotation has none of that name.</summary>
    public PropertyValue? Find(string property) => Properties.FirstOrDefault(candidate => candidate.Name == property);

    /// <summary>Whether a property is there and says something other than false, zero or nothing.</summary>
    public bool IsSet(string property) => Find(property) is { IsSet: true };

    /// <summary>A property's number, written or default.</summary>
    public double Number(string property) => Find(property)?.Value?.Number ?? 0;

    /// <summary>Whether a property is the enum member of this name, written or default.</summary>
    public bool Is(string property, string member) =>
        Find(property) is { Value: { } value } found && found.Members.Any(candidate => candidate.Name == member && candidate.Value == (long)value.Number);

    /// <summary>A property's text, written or default.</summary>
    public string Text(string property) => Find(property)?.Value?.Text ?? "";

    /// <summary>A property's list of texts, written or default.</summary>
    public EquatableArray<string> Texts(string property) => Find(property)?.Value?.Items ?? [];
}

/// <summary>Positions that an adapter adds.</summary>
/// <param name="Positions">Expression for how many.</param>
/// <param name="Kept">Expression for the numbers a layer keeps of each; null for what it keeps of any other.</param>
internal sealed record PositionsModel(string Positions, string? Kept);

/// <summary>A property of an annotation: its declaration and the value in force.</summary>
internal sealed record PropertyValue
{
    public required string Name { get; init; }

    /// <summary>The class that declares it, or last overrides it, <c>global::</c> qualified.</summary>
    public required string Owner { get; init; }

    /// <summary>Its C# type: <c>double</c>, or a qualified name.</summary>
    public required string Type { get; init; }

    /// <summary>The value written, else the declared default, else null.</summary>
    public required Constant? Value { get; init; }

    /// <summary>The declared default, or null for none.</summary>
    public required Constant? Default { get; init; }

    /// <summary>Whether the user wrote it.</summary>
    public required bool Written { get; init; }

    /// <summary>Whether it says where an adapter sits: the base class of all adapters declares it.</summary>
    public required bool Places { get; init; }

    /// <summary>Whether one run may override it.</summary>
    public required bool PerRun { get; init; }

    public required BoundsModel? Bounds { get; init; }

    /// <summary>The property whose number its entries give other values at single modules; null for none.</summary>
    public required string? PatternOf { get; init; }

    /// <summary>The members of its type where that is an enum.</summary>
    public required EquatableArray<EnumMember> Members { get; init; }

    /// <summary>Whether its value is other than C#'s <c>default</c> of its type.</summary>
    public bool IsSet => Value is { } value && (value.Kind is ConstantKind.Text ? value.Text.Length > 0 : value.Kind is ConstantKind.Texts ? value.Items.Count > 0 : value.Number != 0);
}

/// <summary>What a property may be.</summary>
/// <param name="Id">The diagnostic of a value out of bounds.</param>
/// <param name="Minimum">NaN for none.</param>
/// <param name="Above">NaN for none.</param>
/// <param name="Below">NaN for none.</param>
/// <param name="Maximum">A number or an expression over a site's sizes.</param>
internal sealed record BoundsModel(string Id, double Minimum, double Above, double Below, string? Maximum);

/// <summary>A member of an enum.</summary>
internal sealed record EnumMember(string Name, long Value);

/// <summary>The runtime class behind an annotation.</summary>
/// <param name="Type"><c>global::</c> qualified.</param>
/// <param name="Accessors">What its methods <c>Place</c> return, one for each kind of site it can sit at.</param>
/// <param name="Properties">The properties an object initialiser can set.</param>
internal sealed record Realization(string Type, EquatableArray<Accessor> Accessors, EquatableArray<string> Properties)
{
    /// <summary>The kinds of sites it can sit at.</summary>
    public IEnumerable<SiteKind> Kinds => Accessors.Select(accessor => accessor.Kind);
}

/// <summary>What gives access to an adapter at one site.</summary>
/// <param name="Type"><c>global::</c> qualified.</param>
/// <param name="IsPublic">Whether a public property may have this type.</param>
/// <param name="Kind">At which kind of site.</param>
internal sealed record Accessor(string Type, bool IsPublic, SiteKind Kind);
