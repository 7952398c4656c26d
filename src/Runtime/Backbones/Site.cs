namespace FlatPO.Recipes.Backbones;

/// <summary>A place of a backbone an adapter may sit: a linear layer, a table of vectors, a norm, or where vectors enter the layers.</summary>
/// <param name="module">Module path as transformers 5 spells it.</param>
/// <param name="published">Its path in the checkpoint, which is how transformers 4 spelled the module.</param>
/// <param name="role">The role it plays.</param>
public abstract class Site(string module, string published, Sites role)
{
    /// <summary>Module path as transformers 5 spells it.</summary>
    public string Module { get; } = module;

    /// <summary>Its path in the checkpoint, which is how transformers 4 spelled the module.</summary>
    public string Published { get; } = published;

    /// <summary>The role it plays.</summary>
    public Sites Role { get; } = role;

    /// <summary>Width of the input.</summary>
    public abstract long In { get; }

    /// <summary>Width of the output.</summary>
    public abstract long Out { get; }

    /// <summary>The weights it computes with, by the names transformers gives them: <c>weight</c>, <c>bias</c>.</summary>
    internal virtual IReadOnlyList<(string Part, Weight Weight)> Parts => [];

    /// <summary>The weights it computes with.</summary>
    internal IEnumerable<Weight> Weights => Parts.Select(part => part.Weight);

    /// <summary>What sits here, if anything.</summary>
    internal Adapter? Occupant { get; private set; }

    /// <summary>Whether an adapter sits here or some of its weights are trained.</summary>
    internal bool IsTaken => Occupant is not null || Weights.Any(weight => weight.Trainable is not null);

    /// <summary>Lets an adapter act here, or none.</summary>
    internal void Take(Adapter? adapter)
    {
        Occupant = adapter;
        foreach ((string part, Weight weight) in Parts)
            weight.Trainable = (adapter as TrainedWeights)?.Of(part);
    }

    /// <summary><c>weight</c> and <c>bias</c>, those of them that are there.</summary>
    private protected static IReadOnlyList<(string Part, Weight Weight)> PartsOf(Weight? weight, Weight? bias) =>
        [.. weight is null ? [] : (IEnumerable<(string, Weight)>)[("weight", weight)], .. bias is null ? [] : (IEnumerable<(string, Weight)>)[("bias", bias)]];
}
