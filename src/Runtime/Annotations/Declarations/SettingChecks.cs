namespace FlatPO.Recipes;

/// <summary>
/// Two properties of an annotation of which one at most may be set, that is, be other than <c>default</c> of its type. The compiler checks what the attribute says,
/// <see cref="Conflicts.Check"/> an object of the runtime class.
/// </summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class ConflictAttribute(string id, string first, string second, string reason) : Attribute
{
    /// <summary>The diagnostic id.</summary>
    public string Id { get; } = id;

    /// <summary>One property.</summary>
    public string First { get; } = first;

    /// <summary>The other property; the finding is shown at it.</summary>
    public string Second { get; } = second;

    /// <summary>Why they exclude each other.</summary>
    public string Reason { get; } = reason;
}

/// <summary>A property that may not be set where the adapter sits at sites of some roles.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class ConflictAtAttribute(string id, string property, Sites sites, string reason) : Attribute
{
    /// <summary>The diagnostic id.</summary>
    public string Id { get; } = id;

    /// <summary>The property; the finding is shown at it.</summary>
    public string Property { get; } = property;

    /// <summary>The roles.</summary>
    public Sites Sites { get; } = sites;

    /// <summary>Why they exclude each other.</summary>
    public string Reason { get; } = reason;
}

/// <summary>A quotient of two of an annotation's properties that is seldom meant where it leaves a range: a warning of the compiler.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class UsualRatioAttribute(string id, string dividend, string divisor) : Attribute
{
    /// <summary>The diagnostic id.</summary>
    public string Id { get; } = id;

    /// <summary>The property that is divided.</summary>
    public string Dividend { get; } = dividend;

    /// <summary>The property it is divided by.</summary>
    public string Divisor { get; } = divisor;

    /// <summary>A boolean property under which the square root of the divisor takes its place; null for none.</summary>
    public string? Root { get; set; }

    /// <summary>Smallest usual quotient; NaN for none.</summary>
    public double AtLeast { get; set; } = double.NaN;

    /// <summary>Largest usual quotient; NaN for none.</summary>
    public double AtMost { get; set; } = double.NaN;
}

/// <summary>A property of flags that, where it is written, may hold only flags of another: for roles of sites, those that the adapter takes.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class SubsetAttribute(string id, string part, string whole) : Attribute
{
    /// <summary>The diagnostic id.</summary>
    public string Id { get; } = id;

    /// <summary>The property that must be contained.</summary>
    public string Part { get; } = part;

    /// <summary>The property it must be contained in.</summary>
    public string Whole { get; } = whole;
}

/// <summary>A boolean property of an adapter that can be merged only into layers with a bias: a warning of the compiler where it takes others.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class WantsBiasAttribute(string id, string property) : Attribute
{
    /// <summary>The diagnostic id.</summary>
    public string Id { get; } = id;

    /// <summary>The property.</summary>
    public string Property { get; } = property;
}
