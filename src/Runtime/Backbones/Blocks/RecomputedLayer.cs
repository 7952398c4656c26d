using FlatPO.Recipes.Native;
using FlatPO.Recipes.Operations;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>
/// A layer that keeps what it is given and no more. Backward runs it again on leaves of the same numbers, with the same dropout, and then backward through that: the gradients are those of a layer
/// that kept everything, bit for bit.
/// </summary>
/// <param name="run">The layer, on what it is given.</param>
/// <param name="trained">What is trained in it: its inputs behind those that <paramref name="run"/> is given.</param>
/// <param name="of">Where it is known whether the layer draws at random.</param>
internal sealed class RecomputedLayer(Func<Tensor?[], Tensor> run, IReadOnlyList<TrainableTensor> trained, (Recomputation Run, object Layer) of) : Operation
{
    private Tensor?[] given = [];
    private Tensor? drawn; // the generator's state before the layer, where it draws

    protected override Tensor[] Forward(Tensor?[] inputs)
    {
        given = [.. inputs.SkipLast(trained.Count).Select(input => input is null ? null : Keep(input))];
        bool? draws = of.Run.Draws(of.Layer);
        if (draws is not false)
            Recording.Refuse("dropout in a layer that is run again sets the generator back");
        Tensor? before = draws is false ? null : GeneratorState.Read(inputs[0]!.device);
        Tensor output = run([.. inputs.SkipLast(trained.Count)]);
        if (draws is null)
            of.Run.Note(of.Layer, !GeneratorState.Same(before!, GeneratorState.Read(output.device)));
        drawn = of.Run.Draws(of.Layer) is true ? Keep(before!) : null;
        return [output];
    }

    protected override Tensor?[] Backward(Tensor?[] gradients)
    {
        if (gradients[0] is not { } gradient)
            return new Tensor?[Asked.Count];
        Tensor?[] leaves = [.. given.Concat(trained.Select(tensor => tensor.Live)).Zip(Asked, Leaf)];
        using GradientPass pass = GradientPass.Open();
        pass.Backward([Again(leaves)], [gradient]);
        return [.. leaves.Zip(Asked, (leaf, asked) => asked ? leaf!.grad : null)];
    }

    private Tensor Again(Tensor?[] leaves)
    {
        Tensor?[] former = [.. trained.Select((tensor, i) => tensor.Bind(leaves[given.Length + i]))];
        try
        {
            using var grad = enable_grad();
            using GeneratorState.Scope? rewound = drawn is null ? null : GeneratorState.Rewind(leaves[0]!.device, drawn);
            return run(leaves[..given.Length]);
        }
        finally
        {
            for (int i = 0; i < former.Length; i++)
                trained[i].Bind(former[i]);
        }
    }

    private static Tensor? Leaf(Tensor? tensor, bool asked) => asked ? tensor!.detach().requires_grad_() : tensor?.detach();
}
