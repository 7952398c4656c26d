using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Emission;

/// <summary>What the parts of the adapter are called in the emitted file.</summary>
internal sealed class AdapterWords
{
    private static readonly HashSet<string> Unusable = ["layer", "placement", "base", "fixed", "new", "in", "out", "ref", "this", "lock", "switch", "default", "operator", "static"];

    private readonly Annotation annotation;
    private readonly Vocabulary vocabulary;

    public AdapterWords(Annotation annotation, Vocabulary vocabulary)
    {
        string camel = char.ToLowerInvariant(annotation.Name[0]) + annotation.Name.Substring(1);
        Local = Unusable.Contains(camel) ? $"{camel}Method" : camel;
        Method = vocabulary.Word(annotation.Realization!.Type);
        (this.annotation, this.vocabulary) = (annotation, vocabulary);
    }

    /// <summary>The variable that holds the method.</summary>
    public string Local { get; }

    /// <summary>The runtime class of the method.</summary>
    public string Method { get; }

    /// <summary>What its <c>Place</c> returns at a kind of site, and how visible that can be.</summary>
    public (string Type, string Access) Accessor(SiteKind kind)
    {
        Accessor accessor = annotation.Realization!.Accessors.First(own => own.Kind == kind);
        return (vocabulary.Word(accessor.Type), accessor.IsPublic ? "public" : "internal");
    }

    /// <summary>Creates the method with the attribute's own properties, without those that say where it sits.</summary>
    public string Creation => $"var {Local} = {Construction.New(Method, annotation.Passed, [], vocabulary)};";
}
