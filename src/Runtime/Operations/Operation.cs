using static TorchSharp.torch;
using static TorchSharp.torch.autograd;

namespace FlatPO.Recipes.Operations;

/// <summary>
/// A differentiable operation with a backward of its own: what it keeps between the two, and when that goes, is its own affair. An object is one application, to be run once.
/// Second derivatives are not supported.
/// </summary>
internal abstract class Operation
{
    private readonly List<Tensor> kept = [];
    private readonly GradientPass pass = GradientPass.Current;

    /// <summary>Whether backward may come: forward keeps nothing where it will not.</summary>
    protected bool WantsGradient { get; private set; }

    /// <summary>Which inputs a gradient is asked of.</summary>
    protected IReadOnlyList<bool> Asked { get; private set; } = [];

    /// <summary>Runs it on inputs, some of which may be left out; through autograd where one of them has a gradient.</summary>
    internal Tensor[] Run(params Tensor?[] inputs)
    {
        using var scope = NewDisposeScope();
        WantsGradient = is_grad_enabled() && inputs.Any(input => input is { requires_grad: true });
        Asked = [.. inputs.Select(input => WantsGradient && input is { requires_grad: true })];
        Tensor[] outputs;
        if (WantsGradient)
            outputs = [.. Node.apply([this, .. inputs])];
        else
            using (no_grad())
                outputs = Forward(inputs);
        foreach (Tensor output in outputs)
            output.MoveToOuterDisposeScope();
        return outputs;
    }

    /// <summary>The outputs; runs under no_grad and a dispose scope. An output must be a tensor of its own, no view of an input.</summary>
    protected abstract Tensor[] Forward(Tensor?[] inputs);

    /// <summary>
    /// The gradients of the inputs from those of the outputs, null where there is none; runs once, under no_grad and a dispose scope, maybe on another thread. A result must
    /// not be one of the given tensors themselves.
    /// </summary>
    protected abstract Tensor?[] Backward(Tensor?[] gradients);

    /// <summary>Keeps a tensor's numbers until backward is over; nothing where none will come.</summary>
    protected Tensor Keep(Tensor tensor)
    {
        if (!WantsGradient)
            return tensor;
        Tensor own = tensor.detach().DetachFromDisposeScope();
        kept.Add(own);
        return own;
    }

    /// <summary>Frees what was kept.</summary>
    internal void Forget()
    {
        foreach (Tensor tensor in kept)
            tensor.Dispose();
        kept.Clear();
    }

    private Tensor?[] BackwardOnce(List<Tensor> gradients)
    {
        pass.Release();
        pass.Spend(gradients);
        Tensor?[] none = new Tensor?[Asked.Count];
        if (pass.HasFailed)
            return none;
        try
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            Tensor?[] results = Backward([.. gradients.Select(gradient => gradient.IsInvalid ? null : gradient)]);
            Tensor[] made = [.. results.OfType<Tensor>()];
            foreach (Tensor result in made)
                result.DetachFromDisposeScope();
            pass.Spend(made);
            return results;
        }
        catch (Exception error) // autograd's thread has nobody to catch it
        {
            pass.Fail(error);
            return none;
        }
        finally
        {
            Forget();
            pass.Leave(this);
        }
    }

    private sealed class Node : MultiTensorFunction<Node>
    {
        private const string Self = "operation";

        public override string Name => Self;

        public override List<Tensor> forward(AutogradContext ctx, params object[] vars)
        {
            Operation operation = (Operation)vars[0];
            ctx.set_materialize_grads(false);
            ctx.save_data(Self, operation);
            operation.pass.Join(operation);
            using var scope = NewDisposeScope();
            return [.. operation.Forward([.. vars.Skip(1).Select(input => (Tensor?)input)]).Select(output => output.MoveToOuterDisposeScope())];
        }

        public override List<Tensor> backward(AutogradContext ctx, List<Tensor> grad_outputs) =>
            [null!, .. ((Operation)ctx.get_data(Self)).BackwardOnce(grad_outputs).Select(result => result!)];
    }
}
