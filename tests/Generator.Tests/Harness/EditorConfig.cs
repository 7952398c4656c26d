using Microsoft.CodeAnalysis;

namespace FlatPO.Recipes.Generator.Tests.Harness;

/// <summary>What an .editorconfig beside every file of the project says of severities.</summary>
internal sealed class EditorConfig(string text) : SyntaxTreeOptionsProvider
{
    private readonly AnalyzerConfigSet config = AnalyzerConfigSet.Create<IReadOnlyList<AnalyzerConfig>>([AnalyzerConfig.Parse(text, "/src/.editorconfig")]);

    public override GeneratedKind IsGenerated(SyntaxTree tree, CancellationToken cancellationToken) => GeneratedKind.Unknown;

    public override bool TryGetDiagnosticValue(SyntaxTree tree, string diagnosticId, CancellationToken cancellationToken, out ReportDiagnostic severity) =>
        config.GetOptionsForSourcePath($"/src/{tree.FilePath}").TreeOptions.TryGetValue(diagnosticId, out severity);

    public override bool TryGetGlobalDiagnosticValue(string diagnosticId, CancellationToken cancellationToken, out ReportDiagnostic severity) =>
        config.GlobalConfigOptions.TreeOptions.TryGetValue(diagnosticId, out severity);
}
