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

    private static readonly OncePerSymbol<INamespaceOrTypeSymbol, HashSet<string>> MemberNames = new(static scope => [.. scope.GetMembers().Select(member => member.Name)]);

    private static readonly (string Name, string Qualified)[] RuntimeCandidates = [.. RuntimeTypes.FullNames.Select(pair => (pair.Key, $"global::{pair.Value}"))];

    public static TypeShell Parse(INamedTypeSymbol type, IReadOnlyList<Annotation> annotations)
    {
        string self = type.ToDisplayString(Names);
        int generics = self.IndexOf('<');
        return new TypeShell
        {
            Namespace = type.ContainingNamespace.IsGlobalNamespace ? "" : type.ContainingNamespace.ToDisplayString(Namespaces),
            Containing = [.. Around(type).Reverse().Select(outer => new ContainingType(Keyword(outer), outer.ToDisplayString(Names)))],
            Name = generics < 0 ? self : self.Substring(0, generics),
            TypeParameters = generics < 0 ? "" : self.Substring(generics),
            MetadataName = MetadataName(type),
            Taken = [.. Taken(type, annotations)],
            Faults = [.. Faults(type)],
            ReservedMembers = [.. RuntimeTypes.RecipeMembers.Where(name => MemberNames.Of(type).Contains(name) && type.GetMembers(name).Any(member => IsUsers(member) && Collides(member)))],
        };
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

    private static string MetadataName(INamedTypeSymbol type)
    {
        string nested = string.Join("+", Around(type).Reverse().Append(type).Select(level => level.MetadataName));
        return type.ContainingNamespace.IsGlobalNamespace ? nested : $"{type.ContainingNamespace.ToDisplayString()}.{nested}";
    }

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
        if (!type.IsRecord && type.InstanceConstructors.Any(constructor => !constructor.IsImplicitlyDeclared && IsUsers(constructor)))
            yield return ShapeFault.DeclaresConstructor;
        if (Around(type).Any(outer => !IsPartial(outer)))
            yield return ShapeFault.InsideNonPartialType;
    }

    private static bool IsPartial(INamedTypeSymbol type) => type.DeclaringSyntaxReferences
        .Any(reference => reference.GetSyntax() is TypeDeclarationSyntax declaration && declaration.Modifiers.Any(SyntaxKind.PartialKeyword));

    /// <summary>The analyzer sees the class with its generated part; what stands there is not the user's.</summary>
    private static bool IsUsers(ISymbol member) =>
        member.DeclaringSyntaxReferences.Any(reference => !reference.SyntaxTree.FilePath.Contains(GeneratedFolder));

    /// <summary>A method may be an overload of an emitted one; anything else of that name, and a Dispose() without parameters, is in the way.</summary>
    private static bool Collides(ISymbol member) => member is not IMethodSymbol { Name: var name, Parameters.Length: var parameters }
        || (name is "Step" or "Pass" or "Loop") || (name == "Dispose" && parameters == 0);

    /// <summary>Simple names the emitted code would like to say that mean another thing where the class is reopened.</summary>
    private static IEnumerable<string> Taken(INamedTypeSymbol type, IReadOnlyList<Annotation> annotations)
    {
        HashSet<string> home = MemberNames.Of(type.ContainingNamespace);
        HashSet<string>[] members = [.. Around(type).Prepend(type).SelectMany(Inherited).Select(MemberNames.Of)];
        return RuntimeCandidates.Concat(Candidates(annotations).Select(name => (Name: TypeNames.Simple(name), Qualified: name)))
            .Where(word => Array.Exists(members, names => names.Contains(word.Name)) || (home.Contains(word.Name) && IsAnother(type.ContainingNamespace, word)))
            .Select(word => word.Name)
            .Distinct()
            .OrderBy(name => name, StringComparer.Ordinal);
    }

    private static IEnumerable<string> Candidates(IReadOnlyList<Annotation> annotations) => annotations
        .SelectMany(annotation => annotation.Properties.SelectMany(property => new[] { property.Owner, property.Type }).Concat([annotation.Realization?.Type, annotation.Realization?.Accessor?.Type]))
        .OfType<string>()
        .Where(name => name.StartsWith("global::", StringComparison.Ordinal));

    /// <summary>Whether a namespace holds something else of this name.</summary>
    private static bool IsAnother(INamespaceSymbol home, (string Name, string Qualified) word) =>
        home.GetMembers(word.Name).Any(found => found is not INamedTypeSymbol { Arity: > 0 } && (found is not ITypeSymbol same || AttributeReader.Qualified(same) != word.Qualified));

    private static IEnumerable<INamedTypeSymbol> Inherited(INamedTypeSymbol type)
    {
        for (INamedTypeSymbol? level = type; level is not null; level = level.BaseType)
            yield return level;
    }
}
