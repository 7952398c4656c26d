using System.Text;
using FlatPO.Recipes.Generator.Emission;
using FlatPO.Recipes.Generator.Model;
using FlatPO.Recipes.Generator.Parsing;
using FlatPO.Recipes.Generator.Rules;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace FlatPO.Recipes.Generator;

/// <summary>
/// Writes the training code of every class marked [Recipe]. It reports nothing: <see cref="Diagnostics.RecipeAnalyzer"/> does the same reading and
/// reports what it finds at its true place.
/// </summary>
[Generator(LanguageNames.CSharp)]
public sealed class RecipeGenerator : IIncrementalGenerator
{
    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        IncrementalValuesProvider<RecipeDeclaration> declarations = context.SyntaxProvider
            .ForAttributeWithMetadataName(AnnotationNames.Recipe, static (node, _) => node is TypeDeclarationSyntax, static (site, _) => RecipeParser.Parse((INamedTypeSymbol)site.TargetSymbol))
            .WithTrackingName(PipelineSteps.Declarations);

        IncrementalValueProvider<EquatableArray<FamilyModel>> families = context.CompilationProvider
            .Select(static (compilation, _) => FamilyParser.ParseAll(compilation))
            .WithTrackingName(PipelineSteps.Families);

        IncrementalValueProvider<EquatableArray<ConfigFacts>> configs = context.AdditionalTextsProvider
            .Where(static file => ConfigReader.IsConfig(file.Path))
            .Select(static (file, cancellation) => ConfigReader.Read(file, cancellation))
            .Collect()
            .Select(static (facts, _) => EquatableArray.Create(facts.AsSpan()))
            .WithTrackingName(PipelineSteps.Configs);

        IncrementalValueProvider<Knowledge> knowledge = families.Combine(configs)
            .Select(static (pair, _) => new Knowledge(pair.Left, pair.Right))
            .WithTrackingName(PipelineSteps.Knowledge);

        IncrementalValuesProvider<Reading> readings = declarations.Combine(knowledge)
            .Select(static (pair, _) => RecipeResolver.Resolve(pair.Left, pair.Right, Catalogue.All))
            .WithTrackingName(PipelineSteps.Readings);

        IncrementalValuesProvider<EmittedFile?> files = readings
            .Select(static (reading, _) => RecipeEmitter.Emit(reading))
            .WithTrackingName(PipelineSteps.Files);

        context.RegisterSourceOutput(files, static (output, file) =>
        {
            if (file is not null)
                output.AddSource(file.HintName, SourceText.From(file.Text, Encoding.UTF8));
        });
    }
}
