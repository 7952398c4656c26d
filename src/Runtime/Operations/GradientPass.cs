using static TorchSharp.torch;

namespace FlatPO.Recipes.Operations;

/// <summary>
/// One run forward and backward. Autograd calls the backward of an <see cref="Operation"/> on a thread of its own, where no dispose scope is open and an exception ends the
/// process: the pass holds what those calls leave behind, and raises what they threw once backward has returned.
/// </summary>
internal sealed class GradientPass : IDisposable
{
    [ThreadStatic]
    private static GradientPass? current;

    private readonly Lock gate = new();
    private readonly HashSet<Operation> waiting = [];
    private readonly List<Tensor> spent = [];
    private readonly GradientPass? outer;
    private Exception? failure;

    private readonly bool opened;

    private GradientPass(GradientPass? outer, bool opened) => (this.outer, this.opened) = (outer, opened);

    /// <summary>The pass that operations of this thread join.</summary>
    internal static GradientPass Current => current ??= new GradientPass(null, opened: false);

    /// <summary>Whether something has failed, so that what remains of backward is for nothing.</summary>
    internal bool HasFailed => failure is not null;

    /// <summary>Opens a pass on this thread, until it is disposed.</summary>
    internal static GradientPass Open() => current = new GradientPass(current, opened: true);

    /// <summary>Backward from a loss (0-dim); throws what an operation's backward threw.</summary>
    internal void Backward(Tensor loss)
    {
        loss.backward();
        Rethrow();
    }

    /// <summary>Backward from tensors whose gradients are known; throws what an operation's backward threw.</summary>
    internal void Backward(IList<Tensor> outputs, IList<Tensor> gradients)
    {
        autograd.backward(outputs, gradients);
        Rethrow();
    }

    /// <summary>Holds what an operation keeps until its backward or the pass's end; where nobody opened a pass it goes with the graph.</summary>
    internal void Join(Operation operation)
    {
        if (!opened)
            return;
        lock (gate)
            waiting.Add(operation);
    }

    internal void Leave(Operation operation)
    {
        lock (gate)
            waiting.Remove(operation);
    }

    internal void Fail(Exception error)
    {
        lock (gate)
            failure ??= error;
    }

    /// <summary>Takes over tensors that autograd reads after a call of backward has returned; they go when the next call begins.</summary>
    internal void Spend(IEnumerable<Tensor> tensors)
    {
        lock (gate)
            spent.AddRange(tensors);
    }

    /// <summary>Lets go of what the call before this one left.</summary>
    internal void Release()
    {
        lock (gate)
        {
            foreach (Tensor tensor in spent)
                tensor.Dispose();
            spent.Clear();
        }
    }

    /// <summary>Closes the pass: what no backward has used is freed.</summary>
    public void Dispose()
    {
        Release();
        foreach (Operation operation in waiting)
            operation.Forget();
        waiting.Clear();
        current = outer;
    }

    private void Rethrow()
    {
        Release();
        if (failure is not { } error)
            return;
        failure = null;
        throw error is RecipeException known ? new RecipeException(known.Id, known.Message, known) : new InvalidOperationException($"backward failed: {error.Message}", error);
    }
}
