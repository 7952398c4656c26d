using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>
/// What stands between the blocks of a tower whose norms come first: <paramref name="X"/>, and what the last block adds to it. The next norm makes the sum on its way, and takes in the gradient that
/// comes back past it: a sum by itself would be a walk through memory more, each way. It is used once; what uses it takes both tensors over.
/// </summary>
/// <param name="X">[..., hidden].</param>
/// <param name="Delta">The same shape; null where nothing is to be added.</param>
internal readonly record struct Residual(Tensor X, Tensor? Delta = null)
{
    /// <summary>x, and what a block behind a norm makes of it.</summary>
    internal Residual Plus(Norm norm, Func<Tensor, Tensor> block)
    {
        using var scope = NewDisposeScope();
        (Tensor sum, Tensor normed) = norm.ForwardSum(X, Delta);
        Dispose();
        return new Residual(sum, block(normed)).Kept();
    }

    /// <summary>The norm of the sum, which nothing reads any more.</summary>
    internal Tensor Normed(Norm norm)
    {
        using var scope = NewDisposeScope();
        Tensor normed = norm.Forward(X, Delta);
        Dispose();
        return normed.MoveToOuterDisposeScope();
    }

    /// <summary>The sum, for what reads it between two norms.</summary>
    internal Tensor Sum()
    {
        if (Delta is null)
            return X;
        Tensor sum = X.Plus(Delta);
        Dispose();
        return sum;
    }

    /// <summary>What is made of the sum, alone.</summary>
    internal Residual Through(Func<Tensor, Tensor> layer)
    {
        Tensor sum = Sum();
        Tensor next = layer(sum);
        sum.Dispose(); // autograd keeps what it needs of it
        return new Residual(next);
    }

    /// <summary>Some of its tokens, chosen from both tensors alike.</summary>
    internal Residual At(Func<Tensor, Tensor> choose)
    {
        Residual chosen = new(choose(X), Delta is null ? null : choose(Delta));
        Dispose();
        return chosen;
    }

    /// <summary>Moves it to the scope around the innermost.</summary>
    internal Residual Kept() => new(X.MoveToOuterDisposeScope(), Delta?.MoveToOuterDisposeScope());

    private void Dispose()
    {
        X.Dispose();
        Delta?.Dispose();
    }
}
