using FlatPO.Recipes.Generator.Model;
using Microsoft.CodeAnalysis;

namespace FlatPO.Recipes.Generator.Parsing;

/// <summary>Attribute values without symbols.</summary>
internal static class ConstantReader
{
    /// <summary>The value, or null for one that does not compile or that no annotation uses.</summary>
    public static Constant? Read(TypedConstant constant) => constant switch
    {
        { Kind: TypedConstantKind.Enum, Value: { } value } => Constant.OfEnum(Convert.ToInt64(value)),
        { Kind: TypedConstantKind.Primitive, Value: bool flag } => Constant.Of(flag),
        { Kind: TypedConstantKind.Primitive, Value: string text } => Constant.Of(text),
        { Kind: TypedConstantKind.Primitive, Value: double or float } => Constant.Of(Convert.ToDouble(constant.Value)),
        { Kind: TypedConstantKind.Primitive, Value: int or long or short or byte or uint } => Constant.OfInteger(Convert.ToInt64(constant.Value)),
        { Kind: TypedConstantKind.Array, IsNull: false } => Constant.Of([.. constant.Values.Select(item => item.Value as string).OfType<string>()]),
        _ => null,
    };
}
