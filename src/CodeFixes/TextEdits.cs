using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace FlatPO.Recipes.CodeFixes;

/// <summary>Fixes edit text, not trees: what stands around an edit, comments and layout included, stays to the letter, and many fixes merge into one.</summary>
internal static class TextEdits
{
    /// <summary>The document with another text in one place.</summary>
    public static Task<Document> Replaced(this Document document, TextSpan span, string text, CancellationToken cancellation) =>
        document.Edited(_ => [new TextChange(span, text)], cancellation);

    /// <summary>The document with a text more in some places.</summary>
    public static Task<Document> Inserted(this Document document, IEnumerable<int> positions, string text, CancellationToken cancellation) =>
        document.Edited(_ => positions.Select(position => new TextChange(new TextSpan(position, 0), text)), cancellation);

    /// <summary>The document without some of its text.</summary>
    public static Task<Document> Without(this Document document, Func<SourceText, IEnumerable<TextSpan>> spans, CancellationToken cancellation) =>
        document.Edited(text => spans(text).Select(span => new TextChange(span, "")), cancellation);

    private static async Task<Document> Edited(this Document document, Func<SourceText, IEnumerable<TextChange>> edits, CancellationToken cancellation)
    {
        SourceText text = await document.GetTextAsync(cancellation).ConfigureAwait(false);
        return document.WithText(text.WithChanges(edits(text)));
    }
}
