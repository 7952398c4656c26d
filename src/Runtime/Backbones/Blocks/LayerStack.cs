using FlatPO.Recipes.Operations;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>What a layer is given beside its input.</summary>
internal interface ILayerContext<TSelf>
{
    /// <summary>Its tensors, always as many; null for one that is not there.</summary>
    Tensor?[] Tensors { get; }

    /// <summary>The same with other tensors in their places.</summary>
    TSelf With(Tensor?[] tensors);
}

/// <summary>The layers of a tower, one behind the other. Each runs as it is or, while a <see cref="Recomputation"/> is open, keeps its input alone for backward.</summary>
internal sealed class LayerStack<TLayer, TContext>
    where TLayer : class
    where TContext : ILayerContext<TContext>
{
    private readonly TLayer[] layers;
    private readonly Site[][] sites; // of each layer
    private readonly Func<TLayer, Tensor, TContext, Tensor> forward;

    /// <summary>Declares <paramref name="count"/> layers, each by <paramref name="declare"/>; <paramref name="forward"/> runs one.</summary>
    internal LayerStack(WeightTable weights, long count, Func<int, TLayer> declare, Func<TLayer, Tensor, TContext, Tensor> forward)
    {
        (layers, sites, this.forward) = (new TLayer[count], new Site[count][], forward);
        for (int i = 0; i < count; i++)
        {
            int before = weights.AllSites.Count;
            layers[i] = declare(i);
            sites[i] = [.. weights.AllSites.Skip(before)];
        }
    }

    /// <summary>How many there are.</summary>
    internal int Count => layers.Length;

    /// <summary>x, which is taken over, through one layer.</summary>
    internal Tensor Forward(int layer, Tensor x, TContext context)
    {
        Tensor next = Recomputation.Current is { } recomputation ? Recomputed(layer, x, context, recomputation) : forward(layers[layer], x, context);
        x.Dispose(); // autograd keeps what it needs of it
        return next;
    }

    private Tensor Recomputed(int layer, Tensor x, TContext context, Recomputation recomputation)
    {
        TrainableTensor[] trained = [.. sites[layer].SelectMany(site => site.Occupant?.Tensors ?? [])];
        Tensor?[] given = [x, .. context.Tensors];
        return trained.Length > 0 || given.Any(tensor => tensor is { requires_grad: true })
            ? new RecomputedLayer(inputs => forward(layers[layer], inputs[0]!, context.With(inputs[1..])), trained, (recomputation, layers[layer])).Run([.. given, .. trained.Select(tensor => tensor.Live)])[0]
            : forward(layers[layer], x, context);
    }
}
