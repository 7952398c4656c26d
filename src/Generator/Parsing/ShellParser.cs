using FlatPO.Recipes.Generator.Model;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace FlatPO.Recipes.Generator.Parsing;

/// <summary>How to reopen a class, and whether it can be.</summary>
internal static class ShellParser
{
    /// <summary>The compiler files a generator's output under the generator's name.</summary>
    private static readonly string GeneratedFolder = typeof(RecipeGenerator).FullName;

    private static readonly SymbolDisplayFormat Names = new(
        genericsOptions: SymbolDisplayGenericsOptions.IncludeTypeParameters,
        miscellaneousOptions: SymbolDisplayMiscellaneousOptions.EscapeKeywordIdentifiers);

    private static readonly SymbolDisplayFormat Namespaces = new(
        typeQualificationStyle: SymbolDisplayTypeQualificationStyle.NameAndContainingTypesAndNamespaces,
        miscellaneousOptions: SymbolDisplayMiscellaneousOptions.EscapeKeywordIdentifiers);

    /// <summary>A namespace as source says it and as metadata does.</summary>
    private static readonly OncePerSymbol<INamespaceSymbol, Space> Spaces = new(static space =>
        space.IsGlobalNamespace ? new("", "") : new(space.ToDisplayString(Namespaces), $"{space.ToDisplayString()}."));

    public static TypeShell Parse(INamedTypeSymbol type, IReadOnlyList<IReadOnlyList<Word>> words)
    {
        string self = type.ToDisplayString(Names);
        int generics = self.IndexOf('<');
        (string source, string metadata) = Spaces.Of(type.ContainingNamespace);
        return new TypeShell
        {
            Namespace = source,
            Containing = [.. Around(type).Reverse().Select(outer => new ContainingType(Keyword(outer), outer.ToDisplayString(Names)))],
            Name = generics < 0 ? self : self.Substring(0, generics),
            TypeParameters = generics < 0 ? "" : self.Substring(generics),
            MetadataName = metadata + (type.ContainingType is null ? type.MetadataName : string.Join("+", Around(type).Reverse().Append(type).Select(level => level.MetadataName))),
            Taken = TakenWords.In(type, words),
            Faults = [.. Faults(type)],
            ReservedMembers = ReservedMembers(type),
        };
    }

    private static EquatableArray<string> ReservedMembers(INamedTypeSymbol type)
    {
        ICollection<string> written = TakenWords.MembersOf(type);
        return [.. RuntimeTypes.RecipeMembers.Where(name => written.Contains(name) && type.GetMembers(name).Any(member => IsUsers(member) && Collides(member)))];
    }

    private static IEnumerable<INamedTypeSymbol> Around(INamedTypeSymbol type)
    {
        for (INamedTypeSymbol? outer = type.ContainingType; outer is not null; outer = outer.ContainingType)
            yield return outer;
    }

    private static string Keyword(INamedTypeSymbol type) => type switch
    {
        { IsRecord: true, TypeKind: TypeKind.Struct } => "record struct",
        { IsRecord: true } => "record",
        { TypeKind: TypeKind.Struct } => "struct",
        { TypeKind: TypeKind.Interface } => "interface",
        _ => "class",
    };

    private static IEnumerable<ShapeFault> Faults(INamedTypeSymbol type)
    {
        if (!IsPartial(type))
            yield return ShapeFault.NotPartial;
        if (type.IsStatic)
            yield return ShapeFault.Static;
        else if (type.IsAbstract)
            yield return ShapeFault.Abstract;
        if (type.IsRecord)
            yield return ShapeFault.Record;
        if (type.IsFileLocal)
            yield return ShapeFault.FileLocal;
        if (!type.IsRecord && Declarations(type).Any(DeclaresConstructor))
            yield return ShapeFault.DeclaresConstructor;
        if (Around(type).Any(outer => !IsPartial(outer)))
            yield return ShapeFault.InsideNonPartialType;
    }

    private static bool IsPartial(INamedTypeSymbol type) => Declarations(type).Any(declaration => declaration.Modifiers.Any(SyntaxKind.PartialKeyword));

    private static IEnumerable<TypeDeclarationSyntax> Declarations(INamedTypeSymbol type) =>
        type.DeclaringSyntaxReferences.Select(reference => reference.GetSyntax()).OfType<TypeDeclarationSyntax>();

    /// <summary>By syntax, since asking the symbol would bind every member of every recipe at each key.</summary>
    private static bool DeclaresConstructor(TypeDeclarationSyntax declaration) => IsUsers(declaration.SyntaxTree)
        && (declaration.ParameterList is not null || declaration.Members.Any(member => member is ConstructorDeclarationSyntax constructor && !constructor.Modifiers.Any(SyntaxKind.StaticKeyword)));

    /// <summary>The analyzer sees the class with its generated part; what stands there is not the user's.</summary>
    private static bool IsUsers(ISymbol member) =>
        member.DeclaringSyntaxReferences.Any(reference => IsUsers(reference.SyntaxTree));

    private static bool IsUsers(SyntaxTree tree) => !tree.FilePath.Contains(GeneratedFolder);

    /// <summary>A method may be an overload of an emitted one; anything else of that name, and a Dispose() without parameters, is in the way.</summary>
    private static bool Collides(ISymbol member) => member is not IMethodSymbol { Name: var name, Parameters.Length: var parameters }
        || (name is "Step" or "Pass" or "Loop") || (name == "Dispose" && parameters == 0);

    /// <summary>The name of a namespace.</summary>
    private sealed record Space(string Source, string Metadata);
}
