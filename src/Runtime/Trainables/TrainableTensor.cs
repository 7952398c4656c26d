using static TorchSharp.torch;

namespace FlatPO.Recipes.Trainables;

/// <summary>
/// One tensor that is trained: a "dimension" of the paper. Its numbers are a slice of the <see cref="Arena"/>; while a pass runs,
/// <see cref="Live"/> is that slice as part of the autograd graph.
/// </summary>
public sealed class TrainableTensor
{
    private Tensor? initial;
    private Tensor? live;
    private Arena? arena;
    private int index;

    /// <summary>Declares a trainable tensor; <paramref name="initial"/> (float32) is taken over and released once an arena holds the numbers.</summary>
    public TrainableTensor(string name, Sites site, TrainableKind kind, Tensor initial)
    {
        Name = name;
        Site = site;
        Kind = kind;
        Shape = initial.shape;
        this.initial = initial.DetachFromDisposeScope();
    }

    /// <summary>The name in PEFT's adapter file without its prefix: <c>model.layers.0.self_attn.q_proj.lora_A.weight</c>.</summary>
    public string Name { get; }

    /// <summary>The role of the module it sits at.</summary>
    public Sites Site { get; }

    /// <summary>An adapter's own tensor, or a whole module trained beside the adapters.</summary>
    public TrainableKind Kind { get; }

    /// <summary>The tensor's sizes.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>Its learning rate is this many times the optimizer's (LoRA+); 1 unless said otherwise.</summary>
    public double LearningRateFactor { get; set; } = 1;

    /// <summary>Number of elements.</summary>
    public long Count => Shape.Aggregate(1L, (product, size) => product * size);

    /// <summary>The tensor whose numbers its gradient is multiplied by: while they are all zero it gets none, as LoRA's A while B is. Null where there is none such.</summary>
    public TrainableTensor? WaitsFor { get; set; }

    /// <summary>The numbers as they are now: a detached float32 view of the arena; writing to it under <c>no_grad</c> changes the tensor.</summary>
    public Tensor Value => arena is null ? initial! : arena.Slice(arena.Values, index);

    /// <summary>The gradient of the last pass, as a view of the arena; zero before the first.</summary>
    public Tensor Gradient => (arena ?? throw new InvalidOperationException($"{Name} is not in an arena yet")).Slice(arena.Gradient, index);

    /// <summary>The slice as a node of the running pass's graph; only between <see cref="Arena.Bind"/> and the end of its scope.</summary>
    public Tensor Live => live ?? throw new InvalidOperationException($"{Name} is used outside a pass");

    /// <summary>The arena that holds the numbers; null before there is one.</summary>
    internal Arena? Arena => arena;

    /// <summary>Its number in the arena.</summary>
    internal int Index => index;

    /// <summary>Makes <paramref name="piece"/> what is <see cref="Live"/>, and gives what was.</summary>
    internal Tensor? Bind(Tensor? piece)
    {
        Tensor? former = live;
        live = piece;
        return former;
    }

    /// <summary>Frees the initial numbers, where no arena took them over.</summary>
    internal void Release() => initial?.Dispose();

    /// <summary>Hands the initial numbers to the arena that holds them from now on.</summary>
    internal Tensor MoveInto(Arena owner, int position)
    {
        if (arena is not null)
            throw new InvalidOperationException($"{Name} is already in an arena");
        (Tensor numbers, arena, index, initial) = (initial!, owner, position, null);
        return numbers;
    }
}

/// <summary>Whose tensor it is.</summary>
public enum TrainableKind
{
    /// <summary>An adapter's own tensor: ranked and perturbed.</summary>
    Adapter,

    /// <summary>Part of a module trained whole (<c>modules_to_save</c>): counted in the gradient norm, never perturbed, as in the reference.</summary>
    SavedModule,
}
