using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;

namespace FlatPO.Recipes.CodeFixes.Tests.Harness;

/// <summary>A user's project open in an editor: what the analyzer reports, which fixes are offered for it, and the text after one.</summary>
internal sealed class Editor
{
    private readonly Project project;
    private readonly Document document;
    private readonly ImmutableArray<Diagnostic> found;

    internal Editor(Project project)
    {
        this.project = project;
        SyntaxTree[] trees = [.. project.Compilation.SyntaxTrees];
        ProjectId id = ProjectId.CreateNewId();
        DocumentInfo[] files = [.. trees.Select(tree => DocumentInfo.Create(DocumentId.CreateNewId(id), tree.FilePath, filePath: tree.FilePath, loader: TextLoader.From(TextAndVersion.Create(tree.GetText(), VersionStamp.Default))))];
        Solution solution = new AdhocWorkspace().AddProject(ProjectInfo.Create(
            id, VersionStamp.Default, "UserProject", "UserProject", LanguageNames.CSharp,
            compilationOptions: project.Compilation.Options, parseOptions: trees[0].Options, documents: files, metadataReferences: project.Compilation.References)).Solution;
        document = solution.GetDocument(files[^1].Id)!;
        found = project.Analyze();
    }

    /// <summary>The ids the analyzer reports, in the order of the text.</summary>
    internal IEnumerable<string> Ids => found.Select(diagnostic => diagnostic.Id);

    internal static Editor Of(string source) => new(Project.Of(source));

    /// <summary>A recipe on opt-125m with these attributes more.</summary>
    internal static Editor OfRecipe(string attributes) => Of(Recipe(attributes));

    internal static string Recipe(string attributes) =>
        $"using FlatPO.Recipes;\n\n[Recipe(TaskType.CausalLM), Backbone(\"facebook/opt-125m\")]\n{attributes}\npublic partial class R;\n";

    /// <summary>What a fix offers for the diagnostics of an id.</summary>
    internal async Task<IReadOnlyList<CodeAction>> Offered(CodeFixProvider fix, string id)
    {
        List<CodeAction> actions = [];
        foreach (Diagnostic diagnostic in found.Where(diagnostic => diagnostic.Id == id))
            await fix.RegisterCodeFixesAsync(new CodeFixContext(document, diagnostic, (action, _) => actions.Add(action), CancellationToken.None));
        return actions;
    }

    /// <summary>The project after an action.</summary>
    internal async Task<Editor> After(CodeAction action)
    {
        ApplyChangesOperation applied = (await action.GetOperationsAsync(CancellationToken.None)).OfType<ApplyChangesOperation>().Single();
        string text = (await applied.ChangedSolution.GetDocument(document.Id)!.GetTextAsync()).ToString();
        return new Editor(project.Edited(await Text(), text));
    }

    /// <summary>The project after the only action offered for an id.</summary>
    internal async Task<Editor> After(CodeFixProvider fix, string id) => await After(Assert.Single(await Offered(fix, id)));

    /// <summary>The project after a fix was applied to every diagnostic of an id at once.</summary>
    internal async Task<Editor> AfterAll(CodeFixProvider fix, string id)
    {
        string key = (await Offered(fix, id))[0].EquivalenceKey!;
        FixAllContext context = new(document, fix, FixAllScope.Document, key, [id], new Found(await InTheDocument()), CancellationToken.None);
        return await After((await fix.GetFixAllProvider()!.GetFixAsync(context))!);
    }

    /// <summary>What was found, in the tree the workspace has of the same text.</summary>
    private async Task<Diagnostic[]> InTheDocument()
    {
        SyntaxTree tree = (await document.GetSyntaxTreeAsync())!;
        return [.. found.Select(diagnostic => Diagnostic.Create(diagnostic.Descriptor, Location.Create(tree, diagnostic.Location.SourceSpan), diagnostic.Properties))];
    }

    /// <summary>The recipe's file.</summary>
    internal async Task<string> Text() => (await document.GetTextAsync()).ToString();

    private sealed class Found(Diagnostic[] diagnostics) : FixAllContext.DiagnosticProvider
    {
        public override Task<IEnumerable<Diagnostic>> GetAllDiagnosticsAsync(Microsoft.CodeAnalysis.Project project, CancellationToken cancellationToken) => Task.FromResult(diagnostics.AsEnumerable());

        public override Task<IEnumerable<Diagnostic>> GetDocumentDiagnosticsAsync(Document document, CancellationToken cancellationToken) => Task.FromResult(diagnostics.AsEnumerable());

        public override Task<IEnumerable<Diagnostic>> GetProjectDiagnosticsAsync(Microsoft.CodeAnalysis.Project project, CancellationToken cancellationToken) => Task.FromResult(Enumerable.Empty<Diagnostic>());
    }
}
