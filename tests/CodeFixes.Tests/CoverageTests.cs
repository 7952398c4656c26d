using FlatPO.Recipes.CodeFixes.Tests.Harness;
using FlatPO.Recipes.Generator.Diagnostics;
using FlatPO.Recipes.Generator.Tests.Diagnostics;
using FlatPO.Recipes.Generator.Tests.Harness;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;

namespace FlatPO.Recipes.CodeFixes.Tests;

/// <summary>Pages, diagnostics and fixes agree on what can be fixed.</summary>
public sealed class CoverageTests
{
    private static readonly CodeFixProvider[] Fixes =
        [.. typeof(SuggestionFix).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(CodeFixProvider))).Select(type => (CodeFixProvider)Activator.CreateInstance(type)!)];

    /// <summary>The ids whose page shows a case that a fix can cure; FPO0002's shows another of its cases.</summary>
    public static TheoryData<string> Fixable => [.. Fixes.SelectMany(fix => fix.FixableDiagnosticIds).Where(id => id != "FPO0002").Order(StringComparer.Ordinal)];

    public static TheoryData<string> Ids => [.. RecipeDiagnostics.All.Select(descriptor => descriptor.Id)];

    [Fact]
    public void Every_fix_is_exported_and_fixes_all_at_once() => Assert.All(Fixes, fix =>
    {
        Assert.Equal([LanguageNames.CSharp], fix.GetType().GetCustomAttributes(typeof(ExportCodeFixProviderAttribute), false).Cast<ExportCodeFixProviderAttribute>().Single().Languages);
        Assert.NotNull(fix.GetFixAllProvider());
    });

    [Fact]
    public void Every_fixable_id_exists_and_has_one_fix()
    {
        string[] ids = [.. Fixes.SelectMany(fix => fix.FixableDiagnosticIds)];
        Assert.Equal(ids.Distinct(), ids);
        Assert.Subset(RecipeDiagnostics.All.Select(descriptor => descriptor.Id).ToHashSet(), ids.ToHashSet());
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void The_page_says_whether_there_is_a_fix(string id) =>
        Assert.Equal(Fixes.Any(fix => fix.FixableDiagnosticIds.Contains(id)), DiagnosticPage.Read(id).HasCodeFix);

    [Theory]
    [MemberData(nameof(Ids))]
    public void What_carries_a_suggestion_is_listed(string id)
    {
        bool suggests = DiagnosticPage.Read(id).Example.Analyze().Any(diagnostic => diagnostic.Properties.ContainsKey(RecipeAnalyzer.SuggestionKey));
        Assert.Equal(suggests, RecipeDiagnostics.Suggesting.Contains(id) || new SiteNameFix().FixableDiagnosticIds.Contains(id));
    }

    [Theory]
    [MemberData(nameof(Fixable))]
    public async Task The_fix_cures_the_pages_example(string id)
    {
        CodeFixProvider fix = Fixes.Single(candidate => candidate.FixableDiagnosticIds.Contains(id));
        Editor editor = new(DiagnosticPage.Read(id).Example);
        CodeAction action = Assert.Single(await editor.Offered(fix, id));
        Assert.DoesNotContain(id, (await editor.After(action)).Ids);
    }

    [Fact]
    public void The_readme_counts_them() => Assert.Contains(
        $"{RecipeDiagnostics.All.Length} diagnostics, each with [a page](docs/diagnostics/README.md), {Fixes.Sum(fix => fix.FixableDiagnosticIds.Length)} with a code fix", Repository.Read("README.md"), StringComparison.Ordinal);
}
