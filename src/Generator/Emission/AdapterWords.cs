using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Emission;

/// <summary>What an adapter's parts are called in the emitted file. An adapter that is alone gets the short names.</summary>
internal sealed class AdapterWords
{
    private static readonly HashSet<string> Unusable = ["layer", "placement", "base", "fixed", "new", "in", "out", "ref", "this", "lock", "switch", "default", "operator", "static"];

    public AdapterWords(AdapterModel adapter, RecipeModel recipe, Vocabulary vocabulary)
    {
        Annotation annotation = adapter.Annotation;
        string prefix = recipe.Adapters.Count > 1 ? annotation.Name : "";
        Layers = $"{prefix}Layers";
        LayerClass = $"{prefix}{recipe.Task.Layer}";
        string camel = char.ToLowerInvariant(annotation.Name[0]) + annotation.Name.Substring(1);
        Local = Unusable.Contains(camel) ? $"{camel}Method" : camel;
        Method = vocabulary.Word(annotation.Realization!.Type);
        Accessor = vocabulary.Word(annotation.Realization.Accessor!);
        MethodProperties = [.. annotation.Properties.Where(property => property.Owner == annotation.Type)];
    }

    /// <summary>The property for its layers.</summary>
    public string Layers { get; }

    /// <summary>The class of one layer.</summary>
    public string LayerClass { get; }

    /// <summary>The local variable for the method.</summary>
    public string Local { get; }

    /// <summary>The runtime class of the method.</summary>
    public string Method { get; }

    /// <summary>What its <c>Place</c> returns.</summary>
    public string Accessor { get; }

    /// <summary>The attribute's own properties, without those that say where it sits.</summary>
    public IReadOnlyList<PropertyValue> MethodProperties { get; }
}
