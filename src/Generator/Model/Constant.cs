namespace FlatPO.Recipes.Generator.Model;

/// <summary>What kind of value a constant is.</summary>
internal enum ConstantKind
{
    Number,
    Integer,
    Boolean,
    Text,
    Enum,
    Texts,
}

/// <summary>A value an attribute can hold. An enum's number is in <see cref="Number"/>.</summary>
internal sealed record Constant(ConstantKind Kind, double Number, string Text, EquatableArray<string> Items)
{
    public static Constant Of(double number) => new(ConstantKind.Number, number, "", []);

    public static Constant OfInteger(long number) => new(ConstantKind.Integer, number, "", []);

    public static Constant Of(string text) => new(ConstantKind.Text, 0, text, []);

    public static Constant Of(bool flag) => new(ConstantKind.Boolean, flag ? 1 : 0, "", []);

    public static Constant OfEnum(long value) => new(ConstantKind.Enum, value, "", []);

    public static Constant Of(EquatableArray<string> texts) => new(ConstantKind.Texts, 0, "", texts);
}
