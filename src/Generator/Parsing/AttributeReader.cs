using FlatPO.Recipes.Generator.Model;
using Microsoft.CodeAnalysis;

namespace FlatPO.Recipes.Generator.Parsing;

/// <summary>An attribute as an <see cref="Annotation"/>: what is written, and what its class declares. Knows no attribute by name but the declaring ones.</summary>
internal static class AttributeReader
{
    private static readonly (string Name, AnnotationKind Kind)[] Kinds =
    [
        (AnnotationNames.Recipe, AnnotationKind.Recipe),
        (AnnotationNames.Backbone, AnnotationKind.Backbone),
        (AnnotationNames.Training, AnnotationKind.Training),
        (AnnotationNames.Adapter, AnnotationKind.Adapter),
        (AnnotationNames.Sharpness, AnnotationKind.Sharpness),
        (AnnotationNames.Optimizer, AnnotationKind.Optimizer),
        (AnnotationNames.Schedule, AnnotationKind.Schedule),
    ];

    private static readonly OncePerSymbol<INamedTypeSymbol, Annotation?> Declared = new(static type => KindOf(type) is { } kind ? Describe(type, kind) : null);

    private static readonly OncePerSymbol<INamedTypeSymbol, IReadOnlyList<Word>> SaidOf = new(static type => Unwritten(type) is { } annotation
        ? [.. annotation.Properties.SelectMany(property => new[] { property.Owner, property.Type }).Concat([annotation.Realization?.Type, .. annotation.Realization?.Accessors.Select(accessor => accessor.Type) ?? []]).Select(Word.Of).OfType<Word>().Distinct()]
        : []);

    /// <summary>The annotation, or null if the attribute is none of ours.</summary>
    public static Annotation? Read(AttributeData attribute, int position) =>
        attribute.AttributeClass is { TypeKind: not TypeKind.Error } type && Unwritten(type) is { } unwritten
            ? unwritten with
            {
                Position = position,
                Arguments = [.. attribute.ConstructorArguments.Select(ConstantReader.Read).OfType<Constant>()],
                Properties = attribute.NamedArguments.IsEmpty ? unwritten.Properties : [.. unwritten.Properties.Select(property => Written(property, attribute))],
            }
            : null;

    /// <summary>What an attribute that is not written would say, all defaults; null if it is none of ours.</summary>
    public static Annotation? Unwritten(INamedTypeSymbol type) => Declared.Of(type);

    /// <summary>What emitted code says because of an annotation of this class.</summary>
    public static IReadOnlyList<Word> Words(INamedTypeSymbol type) => SaidOf.Of(type);

    private static AnnotationKind? KindOf(INamedTypeSymbol type)
    {
        for (INamedTypeSymbol? candidate = type; candidate is not null; candidate = candidate.BaseType)
        {
            string name = candidate.ToDisplayString();
            foreach ((string known, AnnotationKind kind) in Kinds)
                if (known == name)
                    return kind;
        }
        return null;
    }

    private static Annotation Describe(INamedTypeSymbol type, AnnotationKind kind) => new()
    {
        Kind = kind,
        Position = -1,
        Type = Qualified(type),
        Name = TypeNames.WithoutAttribute(type.Name),
        Arguments = [],
        Properties = [.. Properties(type).Select(Value)],
        Realization = RealizationReader.Read(type),
        Tensors = [.. Marks(type, AnnotationNames.AdapterTensor).Select(Tensor).OfType<AdapterTensor>()],
        Tasks = FirstArgument(type, AnnotationNames.ForTasks) is { Kind: TypedConstantKind.Array, IsNull: false } tasks ? [.. tasks.Values.Select(task => Convert.ToInt64(task.Value))] : [],
        CannotMerge = FirstArgument(type, AnnotationNames.CannotMerge)?.Value as string,
        KeepsForBackward = FirstArgument(type, AnnotationNames.KeepsForBackward)?.Value as string ?? "in",
        IsLowRank = KeepsText(type, "IsLowRank"),
        CopiesInput = KeepsText(type, "CopiesInput"),
        Added = Marks(type, AnnotationNames.AddsPositions).FirstOrDefault() is { ConstructorArguments: [{ Value: string positions }, ..] } added ? new PositionsModel(positions, NamedText(added, "Kept")) : null,
        OptimizerState = FirstArgument(type, AnnotationNames.OptimizerState)?.Value is int state ? state : 0,
        Checks = CheckReader.Read(type),
    };

    private static string KeepsText(INamedTypeSymbol type, string name) =>
        Marks(type, AnnotationNames.KeepsForBackward).FirstOrDefault() is { } mark ? NamedText(mark, name) ?? "0" : "0";

    private static TypedConstant? FirstArgument(INamedTypeSymbol type, string mark) =>
        Marks(type, mark).FirstOrDefault() is { ConstructorArguments: [var first, ..] } ? first : null;

    /// <summary>Writable properties, base class first, in the order of declaration; one that is overridden stands where it was declared first, as it was declared last.</summary>
    private static IEnumerable<IPropertySymbol> Properties(INamedTypeSymbol type)
    {
        Stack<INamedTypeSymbol> chain = new();
        for (INamedTypeSymbol? level = type; level is not null && level.ToDisplayString() != "System.Attribute"; level = level.BaseType)
            chain.Push(level);
        return chain.SelectMany(level => level.GetMembers().OfType<IPropertySymbol>())
            .Where(property => property is { IsStatic: false, SetMethod.DeclaredAccessibility: Accessibility.Public, DeclaredAccessibility: Accessibility.Public })
            .GroupBy(property => property.Name)
            .Select(declarations => declarations.Last());
    }

    private static PropertyValue Written(PropertyValue property, AttributeData attribute) =>
        attribute.NamedArguments.FirstOrDefault(argument => argument.Key == property.Name) is { Key: not null, Value: var value } && ConstantReader.Read(value) is { } written
            ? property with { Value = written, Written = true }
            : property;

    private static PropertyValue Value(IPropertySymbol property)
    {
        Constant? fallback = Mark(property, AnnotationNames.Default) is { ConstructorArguments: [var value, ..] } ? ConstantReader.Read(value) : null;
        return new PropertyValue
        {
            Name = property.Name,
            Owner = Qualified(property.ContainingType),
            Type = Qualified(property.Type),
            Value = fallback,
            Default = fallback,
            Written = false,
            Places = First(property).ContainingType.ToDisplayString() == AnnotationNames.Adapter,
            PerRun = Mark(property, AnnotationNames.PerRun) is not null,
            Bounds = Mark(property, AnnotationNames.Bounds) is { } bounds ? Bounds(bounds) : null,
            PatternOf = Mark(property, AnnotationNames.PatternOf) is { ConstructorArguments: [{ Value: string of }, ..] } ? of : null,
            Members = property.Type is INamedTypeSymbol { TypeKind: TypeKind.Enum } @enum ? Members(@enum) : [],
        };
    }

    /// <summary>The property as the first class of the chain declares it.</summary>
    private static IPropertySymbol First(IPropertySymbol property)
    {
        while (property.OverriddenProperty is { } overridden)
            property = overridden;
        return property;
    }

    /// <summary>A property's mark, or that of the property it overrides, as reflection has it.</summary>
    private static AttributeData? Mark(IPropertySymbol property, string attribute)
    {
        for (IPropertySymbol? level = property; level is not null; level = level.OverriddenProperty)
            if (Marks(level, attribute).FirstOrDefault() is { } mark)
                return mark;
        return null;
    }

    private static BoundsModel Bounds(AttributeData mark) => new(
        mark.ConstructorArguments is [{ Value: string id }, ..] ? id : "",
        NamedNumber(mark, "Minimum"),
        NamedNumber(mark, "Above"),
        NamedNumber(mark, "Below"),
        NamedText(mark, "Maximum"));

    internal static string? NamedText(AttributeData mark, string name) =>
        mark.NamedArguments.FirstOrDefault(argument => argument.Key == name).Value.Value as string;

    private static bool NamedFlag(AttributeData mark, string name) =>
        mark.NamedArguments.FirstOrDefault(argument => argument.Key == name).Value.Value is true;

    internal static double NamedNumber(AttributeData mark, string name) =>
        mark.NamedArguments.FirstOrDefault(argument => argument.Key == name).Value.Value is double number ? number : double.NaN;

    private static EquatableArray<EnumMember> Members(INamedTypeSymbol type) =>
        [.. type.GetMembers().OfType<IFieldSymbol>().Where(field => field.HasConstantValue).Select(field => new EnumMember(field.Name, Convert.ToInt64(field.ConstantValue)))];

    private static TensorConditions Conditions(AttributeData mark) => new()
    {
        When = NamedText(mark, "When"),
        Is = mark.NamedArguments.FirstOrDefault(argument => argument.Key == "Is").Value is { Kind: not TypedConstantKind.Error } value && ConstantReader.Read(value) is { } number ? number.Number : null,
        Unless = NamedText(mark, "Unless"),
        At = NamedText(mark, "At"),
        NotAt = NamedText(mark, "NotAt"),
        Only = mark.NamedArguments.FirstOrDefault(argument => argument.Key == "Only").Value.Value is int roles ? roles : 0,
        IsBias = NamedFlag(mark, "IsBias"),
        IsWeight = NamedFlag(mark, "IsWeight"),
        Elsewhere = NamedFlag(mark, "Elsewhere"),
    };

    private static AdapterTensor? Tensor(AttributeData mark) =>
        mark.ConstructorArguments is [{ Value: string name }, { Kind: TypedConstantKind.Array } shape]
            ? new AdapterTensor(name, [.. shape.Values.Select(size => size.Value as string).OfType<string>()], Conditions(mark))
            : null;

    /// <summary>The member of an enum with this value, "" for none and for 0.</summary>
    internal static string NameOf(INamedTypeSymbol type, long value) => value == 0 ? "" : Members(type).FirstOrDefault(member => member.Value == value)?.Name ?? "";

    internal static IEnumerable<AttributeData> Marks(ISymbol symbol, string attribute) =>
        symbol.GetAttributes().Where(mark => mark.AttributeClass?.ToDisplayString() == attribute);

    internal static string Qualified(ITypeSymbol type) => type.WithNullableAnnotation(NullableAnnotation.None).ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat);
}
