using TorchSharp;
using static TorchSharp.torch;

namespace Step.Small;

/// <summary>FlatPO on AdamW by hand, a tensor at a time: norms on the host, a climb of the sharpest, their return, a step.</summary>
internal sealed class HandFlatPO(HandModel model) : IDisposable
{
    internal const double Rho = 0.05, Fraction = 0.05, LearningRate = 1e-4;
    private const double Beta1 = 0.9, Beta2 = 0.999, Epsilon = 1e-8, WeightDecay = 0.01, Smallest = 1e-12;

    private readonly Tensor[] values = [.. model.Initial.Select(tensor => tensor.clone())];
    private readonly Tensor[] means = [.. model.Initial.Select(tensor => zeros_like(tensor))], squares = [.. model.Initial.Select(tensor => zeros_like(tensor))];
    private int steps;

    /// <summary>One step on ids [rows, T]; the clean loss.</summary>
    internal double Step(Tensor ids)
    {
        using var scope = NewDisposeScope();
        (double clean, Tensor[] gradients) = Pass(ids, values);
        double[] norms = [.. gradients.Select(gradient => gradient.norm().ToDouble())];
        double scale = Rho / (Math.Sqrt(norms.Sum(norm => norm * norm)) + Smallest);
        HashSet<int> sharp = [.. Enumerable.Range(0, norms.Length).OrderByDescending(i => norms[i]).Take(Math.Max(1, (int)(Fraction * norms.Length)))];
        (_, Tensor[] there) = Pass(ids, [.. values.Select((value, i) => sharp.Contains(i) ? value + gradients[i] * scale : value)]);
        steps++;
        for (int i = 0; i < values.Length; i++)
            Move(i, there[i]);
        return clean;
    }

    public void Dispose()
    {
        foreach (Tensor tensor in values.Concat(means).Concat(squares))
            tensor.Dispose();
    }

    private (double Loss, Tensor[] Gradients) Pass(Tensor ids, Tensor[] at)
    {
        Tensor[] leaves = [.. at.Select(value => value.detach().clone().requires_grad_())];
        model.Adapters = leaves;
        Tensor loss = model.Loss(ids);
        loss.backward();
        return (loss.ToDouble(), [.. leaves.Select(leaf => leaf.grad!)]);
    }

    private void Move(int i, Tensor gradient)
    {
        using var noGrad = no_grad();
        means[i].mul_(Beta1).add_(gradient * (1 - Beta1));
        squares[i].mul_(Beta2).add_(gradient * gradient * (1 - Beta2));
        Tensor mean = means[i] / (1 - Math.Pow(Beta1, steps)), square = squares[i] / (1 - Math.Pow(Beta2, steps));
        values[i].mul_(1 - LearningRate * WeightDecay).sub_(LearningRate * mean / (square.sqrt() + Epsilon));
    }
}
