namespace FlatPO.Recipes;

/// <summary>
/// The default of an annotation's property, where the generator can read it (initialisers are not in metadata). A test holds it equal to the initialiser.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class DefaultAttribute(object value) : Attribute
{
    /// <summary>The default.</summary>
    public object Value { get; } = value;
}

/// <summary>The property becomes part of the recipe's <c>Settings</c>, so that one run may override it.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class PerRunAttribute : Attribute;

/// <summary>
/// A list of texts <c>name=number</c> that give another of an adapter's properties, a number, other values at single modules. A name is a regular expression for the end of a
/// module path, from one of its parts on; the first entry that means a module counts, and the other property's bounds hold for it.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class PatternOfAttribute(string property) : Attribute
{
    /// <summary>The property whose number it is.</summary>
    public string Property { get; } = property;
}

/// <summary>
/// The runtime class behind an annotation. The generator creates it with an object initialiser: each of the annotation's own properties is
/// assigned to the class's property of the same name. One that is not written and whose default is <c>default</c> of its type (false, 0, an enum's 0) is left
/// out, so that a line names what is special about it: the class's property must then start as <c>default</c> too.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class RealizedByAttribute(Type type) : Attribute
{
    /// <summary>The runtime class. An adapter's has a method <c>Place</c>, whose return type is the typed accessor.</summary>
    public Type Type { get; } = type;
}

/// <summary>
/// One tensor an adapter method adds at each site it takes, or at those that its conditions name. A dimension is a number, <c>in</c>, <c>out</c> or <c>layers</c>
/// (of its tower) of the site, a property of the annotation, or an expression over them.
/// </summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class AdapterTensorAttribute(string name, params string[] shape) : Attribute
{
    /// <summary>The tensor's name behind the module path, as PEFT writes it: <c>lora_A.weight</c>.</summary>
    public string Name { get; } = name;

    /// <summary>One expression a dimension.</summary>
    public string[] Shape { get; } = shape;

    /// <summary>A property of the annotation: the tensor is there only where it is set, that is, other than <c>default</c> of its type. Null for no condition.</summary>
    public string? When { get; set; }

    /// <summary>A boolean property of the annotation: the tensor is there only where it is false. Null for no condition.</summary>
    public string? Unless { get; set; }

    /// <summary>The value of <see cref="When"/>'s property at which the tensor is there; null for every one that is set.</summary>
    public object? Is { get; set; }

    /// <summary>A property of type <see cref="Sites"/>: the tensor is there only at sites of its roles. Null for no condition.</summary>
    public string? At { get; set; }

    /// <summary>A property of type <see cref="Sites"/>: the tensor is there only at sites of other roles. Null for no condition.</summary>
    public string? NotAt { get; set; }

    /// <summary>The roles of the sites at which alone the tensor is; none for all.</summary>
    public Sites Only { get; set; }

    /// <summary>Whether it is the site's own bias, trained: it is there only at sites that have one, and counted among the backbone's numbers.</summary>
    public bool IsBias { get; set; }

    /// <summary>Whether it is the site's own weight, trained: it is counted among the backbone's numbers.</summary>
    public bool IsWeight { get; set; }

    /// <summary>Whether the tensor is at every site of the backbone that carries no adapter, instead of where the adapter sits.</summary>
    public bool Elsewhere { get; set; }
}
