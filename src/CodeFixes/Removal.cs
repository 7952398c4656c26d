using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace FlatPO.Recipes.CodeFixes;

/// <summary>What to delete so that a part of an attribute list is gone and no comment of its neighbours is.</summary>
internal static class Removal
{
    /// <summary>An argument; with the last one the parentheses go too.</summary>
    public static IEnumerable<TextSpan> Of(AttributeArgumentSyntax argument, SourceText text) =>
        argument.Parent is AttributeArgumentListSyntax { Arguments: { Count: > 1 } arguments } ? FromList(arguments, argument, text) : [argument.Parent!.Span];

    /// <summary>An attribute; with the last of its list the brackets go too, and with the last of a line the line.</summary>
    public static IEnumerable<TextSpan> Of(AttributeSyntax attribute, SourceText text) =>
        attribute.Parent is AttributeListSyntax { Attributes: { Count: > 1 } attributes } ? FromList(attributes, attribute, text) : [Brackets(attribute.Parent!, text)];

    private static IEnumerable<TextSpan> FromList<T>(SeparatedSyntaxList<T> list, T item, SourceText text) where T : SyntaxNode
    {
        int index = list.IndexOf(item);
        if (index > 0 && list.GetSeparator(index - 1) is var before && IsBlank(text, before.Span.End, item.SpanStart))
            return [TextSpan.FromBounds(before.SpanStart, item.Span.End)];
        if (index < list.Count - 1)
            return [TextSpan.FromBounds(item.SpanStart, AfterBlank(text, list.GetSeparator(index).Span.End))];
        return [list.GetSeparator(index - 1).Span, item.Span]; // a comment stands between the two
    }

    /// <summary>A line of its own goes as a whole, the comment at its end with it; comments on lines above stay.</summary>
    private static TextSpan Brackets(SyntaxNode list, SourceText text)
    {
        TextLine first = text.Lines.GetLineFromPosition(list.SpanStart), last = text.Lines.GetLineFromPosition(list.Span.End);
        string rest = text.ToString(TextSpan.FromBounds(list.Span.End, last.End)).TrimStart();
        bool endsLine = rest.Length == 0 || rest.StartsWith("//", StringComparison.Ordinal);
        if (endsLine && IsBlank(text, first.Start, list.SpanStart))
            return TextSpan.FromBounds(first.Start, last.EndIncludingLineBreak);
        return endsLine ? list.Span : TextSpan.FromBounds(list.SpanStart, AfterBlank(text, list.Span.End));
    }

    private static bool IsBlank(SourceText text, int start, int end) => string.IsNullOrWhiteSpace(text.ToString(TextSpan.FromBounds(start, end)));

    private static int AfterBlank(SourceText text, int position)
    {
        while (char.IsWhiteSpace(text[position]))
            position++;
        return position;
    }
}
