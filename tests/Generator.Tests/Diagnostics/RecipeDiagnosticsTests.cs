using System.Collections.Immutable;
using FlatPO.Recipes.Generator.Diagnostics;
using FlatPO.Recipes.Generator.Tests.Harness;
using Microsoft.CodeAnalysis;

namespace FlatPO.Recipes.Generator.Tests.Diagnostics;

/// <summary>Every descriptor has a page, a help link, a case that raises it and a case that does not.</summary>
public sealed class RecipeDiagnosticsTests
{
    public static TheoryData<string> Ids => [.. RecipeDiagnostics.All.Select(descriptor => descriptor.Id)];

    [Theory]
    [MemberData(nameof(Ids))]
    public void Page_and_help_link_exist(string id)
    {
        DiagnosticDescriptor descriptor = RecipeDiagnostics.For(id);
        Assert.True(descriptor.IsEnabledByDefault);
        Assert.Equal($"{RecipeDiagnostics.HelpBase}{id}.md", descriptor.HelpLinkUri);
        Assert.Equal($"# {id}: {descriptor.Title}", DiagnosticPage.Read(id).Heading);
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void The_pages_example_raises_it_and_nothing_else(string id)
    {
        ImmutableArray<Diagnostic> found = DiagnosticPage.Read(id).Example.Analyze();
        Assert.Equal([id], found.Select(diagnostic => diagnostic.Id).Distinct());
        Assert.All(found, diagnostic => Assert.DoesNotMatch(@"\{\d", diagnostic.GetMessage()));
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void The_pages_cure_raises_nothing_and_compiles(string id)
    {
        Project cure = DiagnosticPage.Read(id).Cure;
        Assert.Equal([], cure.Analyze().Select(diagnostic => diagnostic.ToString()));
        Assert.Equal("", string.Join('\n', cure.Generate().Complaints));
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void An_error_leaves_no_cascade_behind(string id)
    {
        Generated generated = DiagnosticPage.Read(id).Example.Generate();
        Assert.Equal("", string.Join('\n', generated.Complaints));
        bool isSkeleton = generated.Files.Count == 0 || generated.Text.Contains("has errors", StringComparison.Ordinal);
        Assert.Equal(RecipeDiagnostics.For(id).DefaultSeverity == DiagnosticSeverity.Error, isSkeleton);
    }

    [Fact]
    public void Ids_are_unique_and_release_tracked()
    {
        string[] ids = [.. RecipeDiagnostics.All.Select(descriptor => descriptor.Id)];
        Assert.Equal(ids.Distinct(), ids);
        string released = Repository.Read("src/Generator/AnalyzerReleases.Shipped.md") + Repository.Read("src/Generator/AnalyzerReleases.Unshipped.md");
        Assert.All(RecipeDiagnostics.All, descriptor => Assert.Contains($"{descriptor.Id} | {descriptor.Category} | {descriptor.DefaultSeverity} | {descriptor.Title}\n", released, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void The_index_lists_it(string id)
    {
        DiagnosticDescriptor descriptor = RecipeDiagnostics.For(id);
        Assert.Contains($"| [{id}]({id}.md) | {descriptor.DefaultSeverity.ToString().ToLowerInvariant()} | {descriptor.Title} |\n", Repository.Read("docs/diagnostics/README.md"), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_page_has_a_descriptor() => Assert.Equal(
        RecipeDiagnostics.All.Select(descriptor => descriptor.Id).Order(StringComparer.Ordinal),
        Repository.FilesUnder("docs/diagnostics", "FPO*.md").Select(file => Path.GetFileNameWithoutExtension(file)));
}
