using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace FlatPO.Recipes.Generator.Tests.Harness;

/// <summary>A file a project shows to the compiler.</summary>
internal sealed class ShownFile(string path, string text) : AdditionalText
{
    public override string Path { get; } = path;

    public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(text, Encoding.UTF8);

    /// <summary>The tiny checkpoints' config.json files, and that of the specimen's own backbone.</summary>
    internal static IReadOnlyList<AdditionalText> Golden { get; } =
    [
        .. new[] { "opt", "llama", "qwen2", "qwen3", "mistral", "vit", "clip", "roberta", "qwen2_5_vl" }.Select(family => new ShownFile($"/src/tests/Golden/backbones/{family}/config.json", Repository.Read($"tests/Golden/backbones/{family}/config.json"))),
        new ShownFile(@"C:\src\tests\Specimens\echo\config.json", Repository.Read("tests/Specimens/echo/config.json")),
    ];
}
