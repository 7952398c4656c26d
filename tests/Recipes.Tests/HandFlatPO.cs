using System.Reflection;
using FlatPO.Recipes;
using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Trainables;
using TorchSharp;
using static TorchSharp.torch;

namespace Recipes.Tests;

/// <summary>
/// FlatPO by hand on a recipe's backbone and adapters, a tensor at a time: each a leaf of its own, with its own norm, its own climb and its own moments. Of what trains it
/// shares the attributes' numbers alone: no arena, no ranking, no climb, no optimizer.
/// </summary>
internal sealed class HandFlatPO<TExample, TBatch>
    where TBatch : IBatch
{
    private readonly Backbone<TExample, TBatch> backbone;
    private readonly IReadOnlyList<TrainableTensor> tensors;
    private readonly FlatPOAttribute policy;
    private readonly OptimizerAttribute optimizer;
    private readonly double[] rates;
    private readonly Tensor[] values, means, squares;
    private int steps;

    internal HandFlatPO(IRecipe<TExample> recipe)
    {
        AdapterPlacement placement = Inside.Placement(recipe);
        placement.Training = true;
        backbone = (Backbone<TExample, TBatch>)placement.Backbone;
        tensors = placement.Tensors;
        policy = recipe.GetType().GetCustomAttribute<FlatPOAttribute>()!;
        optimizer = recipe.GetType().GetCustomAttribute<OptimizerAttribute>()!;
        double ratio = recipe.GetType().GetCustomAttribute<LoraAttribute>()?.LearningRateRatio ?? 1;
        rates = [.. tensors.Select(tensor => optimizer.LearningRate * (tensor.Name.Contains("lora_B", StringComparison.Ordinal) || tensor.Shape.Count == 1 ? ratio : 1))]; // LoRA+
        values = [.. tensors.Select(tensor => tensor.Value.clone())];
        (means, squares) = ([.. values.Select(value => zeros_like(value))], [.. values.Select(value => zeros_like(value))]);
    }

    /// <summary>One step.</summary>
    internal HandStep Step(IReadOnlyList<TExample> examples)
    {
        using var scope = NewDisposeScope();
        TBatch batch = backbone.Collate(examples, 0);
        (double clean, Tensor[] gradients) = Pass(batch, values);
        double[] norms = [.. gradients.Select(Norm)];
        int[] sharp = Select(norms);
        (double perturbed, Tensor[] there) = Pass(batch, Climbed(gradients, sharp));
        using (no_grad())
            Move(there);
        return new HandStep(clean, perturbed, [.. sharp.Select(i => tensors[i].Name)], Gap(norms, sharp));
    }

    private (double Loss, Tensor[] Gradients) Pass(TBatch batch, Tensor[] at)
    {
        Tensor[] leaves = [.. at.Select(value => value.clone().requires_grad_())];
        for (int i = 0; i < leaves.Length; i++)
            tensors[i].Bind(leaves[i]);
        Tensor loss = backbone.Loss(batch, batch.Supervised);
        loss.backward();
        foreach (TrainableTensor tensor in tensors)
            tensor.Bind(null);
        return (loss.ToSingle(), [.. leaves.Select(leaf => leaf.grad ?? zeros_like(leaf))]);
    }

    /// <summary>The max(1, ⌊f · m⌋) largest of the m norms in scope, or all from their quantile 1 − f on; in parameter order.</summary>
    private int[] Select(double[] norms)
    {
        int[] scope = InScope();
        double[] ascending = [.. scope.Select(i => norms[i]).Order()];
        if (policy.Selection == SelectionRule.TopFraction)
            return [.. scope.OrderByDescending(i => norms[i]).Take(Math.Max(1, (int)(policy.Fraction * scope.Length))).Order()];
        double place = (1 - policy.Fraction) * (scope.Length - 1);
        (int below, int above) = ((int)Math.Floor(place), (int)Math.Ceiling(place));
        double quantile = ascending[below] + (place - below) * (ascending[above] - ascending[below]);
        return [.. scope.Where(i => norms[i] >= quantile)];
    }

    /// <summary>By how much the smallest norm chosen is above the largest that is not, as a share of it.</summary>
    private double Gap(double[] norms, int[] sharp)
    {
        double left = InScope().Except(sharp).Select(i => norms[i]).DefaultIfEmpty(0).Max(), taken = sharp.Min(i => norms[i]);
        return (taken - left) / taken;
    }

    private int[] InScope() =>
        [.. Enumerable.Range(0, tensors.Count).Where(i => tensors[i].Kind == TrainableKind.Adapter && (policy.Scope == Sites.None || (policy.Scope & tensors[i].Site) != 0))];

    /// <summary>θ + ρ · g / ‖g‖ at the tensors chosen; with ASAM's metric θ + ρ · θ² ∘ g / ‖θ ∘ g‖.</summary>
    private Tensor[] Climbed(Tensor[] gradients, int[] sharp)
    {
        Tensor[] measured = policy.Adaptive ? [.. values.Select((value, i) => value * gradients[i])] : gradients;
        IEnumerable<Tensor> counted = policy.Normalization == Normalization.Selected ? sharp.Select(i => measured[i]) : measured;
        double scale = policy.Rho / (Math.Sqrt(counted.Sum(part => Math.Pow(Norm(part), 2))) + 1e-12);
        return [.. values.Select((value, i) => !sharp.Contains(i) ? value : value + scale * (policy.Adaptive ? value * measured[i] : measured[i]))];
    }

    private void Move(Tensor[] gradients)
    {
        steps++;
        for (int i = 0; i < values.Length; i++)
            if (optimizer is AdamWAttribute adamW)
                MoveByAdamW(i, gradients[i], adamW);
            else
                MoveBySgd(i, gradients[i], (SgdAttribute)optimizer);
    }

    private void MoveByAdamW(int i, Tensor gradient, AdamWAttribute settings)
    {
        means[i].copy_(settings.Beta1 * means[i] + (1 - settings.Beta1) * gradient);
        squares[i].copy_(settings.Beta2 * squares[i] + (1 - settings.Beta2) * gradient * gradient);
        Tensor mean = means[i] / (1 - Math.Pow(settings.Beta1, steps)), square = squares[i] / (1 - Math.Pow(settings.Beta2, steps));
        values[i].copy_((1 - rates[i] * settings.WeightDecay) * values[i] - rates[i] * mean / (square.sqrt() + settings.Epsilon));
    }

    private void MoveBySgd(int i, Tensor gradient, SgdAttribute settings)
    {
        means[i].copy_(settings.Momentum * means[i] + gradient + settings.WeightDecay * values[i]);
        values[i].copy_(values[i] - rates[i] * means[i]);
    }

    private static double Norm(Tensor part)
    {
        using var scope = NewDisposeScope();
        return part.to_type(ScalarType.Float64).norm().ToDouble();
    }
}

/// <summary>What a step by hand found.</summary>
/// <param name="Loss">L(θ).</param>
/// <param name="PerturbedLoss">L(θ + ε).</param>
/// <param name="Perturbed">The tensors perturbed, in parameter order.</param>
/// <param name="Gap">By how much the smallest norm among them is above the largest outside, as a share of it.</param>
internal sealed record HandStep(double Loss, double PerturbedLoss, IReadOnlyList<string> Perturbed, double Gap);
