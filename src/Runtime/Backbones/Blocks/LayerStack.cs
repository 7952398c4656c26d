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
    private readonly Func<TLayer, Residual, TContext, Residual> forward;

    /// <summary>Declares <paramref name="count"/> layers, each by <paramref name="declare"/>; <paramref name="forward"/> runs one.</summary>
    internal LayerStack(WeightTable weights, long count, Func<int, TLayer> declare, Func<TLayer, Residual, TContext, Residual> forward)
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
    internal Residual Forward(int layer, Residual x, TContext context)
    {
        if (Recomputation.Current is not { } recomputation)
            return forward(layers[layer], x, context);
        TrainableTensor[] trained = [.. sites[layer].SelectMany(site => site.Occupant?.Tensors ?? [])];
        Tensor?[] given = [x.X, x.Delta, .. context.Tensors];
        return trained.Length > 0 || given.Any(tensor => tensor is { requires_grad: true })
            ? x.Through(sum => Recomputed(layer, sum, context, trained, recomputation))
            : forward(layers[layer], x, context);
    }

    // the layer takes over what it is given: an alias, since backward reads the gradient of its input
    private Tensor Recomputed(int layer, Tensor x, TContext context, TrainableTensor[] trained, Recomputation recomputation)
    {
        RecomputedLayer recomputed = new(inputs => forward(layers[layer], new Residual(inputs[0]!.alias()), context.With(inputs[1..])).Sum(), trained, (recomputation, layers[layer]));
        return recomputed.Run([x, .. context.Tensors, .. trained.Select(tensor => tensor.Live)])[0];
    }
}
