using static TorchSharp.torch;

namespace FlatPO.Recipes.Operations;

/// <summary>
/// down(silu(gate x) · up x) with frozen layers and low-rank branches on any of them. Inputs: x [..., in], then A and B of the branches on gate and up and of that on down, in
/// this order, which take the gradients. It keeps x, the two products and the hidden numbers; the activation is computed anew in backward.
/// </summary>
internal sealed class GatedBlock(FrozenLinear gateAndUp, FrozenLinear down, LowRankBranch? inner, LowRankBranch? outer) : Operation
{
    private LowRankBranch? inner = inner;
    private LowRankBranch? outer = outer;
    private SwiGlu gate = null!;
    private Tensor x = null!; // [T, in]
    private Tensor products = null!; // [T, 2 · wide]
    private Tensor? innerHidden;
    private Tensor? outerHidden;
    private long[] shape = null!;

    protected override Tensor[] Forward(Tensor?[] inputs)
    {
        shape = inputs[0]!.shape;
        (inner, outer) = (inner?.Kept(Keep), outer?.Kept(Keep));
        gate = new SwiGlu(Branches(inputs));
        x = Keep(inputs[0]!.reshape(-1, shape[^1]));
        // both products in the shape they have without adapters, so that the same kernels run
        Tensor joined = gateAndUp.Product(inputs[0]!);
        products = Keep(joined.view(-1, joined.size(-1)));
        innerHidden = inner is null ? null : Keep(inner.Hidden(x));
        Tensor activation = gate.Forward(products, innerHidden);
        Tensor y = down.Product(activation.view([.. shape[..^1], activation.size(1)]));
        if (outer is not null)
        {
            outerHidden = Keep(outer.Hidden(activation));
            outer.AddTo(y.view(-1, y.size(-1)), outerHidden);
        }
        return [y];
    }

    protected override Tensor?[] Backward(Tensor?[] gradients)
    {
        Tensor gradient = gradients[0]!.reshape(-1, down.Out).contiguous();
        Tensor? ofOuter = outer?.HiddenGradient(gradient);
        (Tensor ofProducts, Tensor[] ofInnerB, Tensor[] ofOuterA) = gate.Backward(products, innerHidden, down.InputGradient(gradient), ofOuter);
        Tensor? ofInner = inner?.HiddenGradient(ofProducts);
        Tensor? ofX = null;
        if (Asked[0])
        {
            ofX = gateAndUp.InputGradient(ofProducts);
            inner?.AddToInput(ofX, ofInner!);
        }
        Tensor[] ofInnerA = inner is null ? [] : inner.GradientsOfA(ofInner!, x), ofOuterB = outer is null ? [] : outer.GradientsOfB(gradient, outerHidden!);
        return [ofX?.view(shape), .. InPairs(ofInnerA, ofInnerB), .. InPairs(ofOuterA, ofOuterB)];
    }

    private GateBranches Branches(Tensor?[] inputs)
    {
        long wide = down.In;
        Tensor? gateB = null, upB = null;
        int next = 1; // A and B of each inner branch, then of the outer one
        foreach (LowRankMember member in inner?.Members ?? [])
        {
            Tensor b = Keep(inputs[next + 1]!);
            (gateB, upB) = member.First < wide ? (b, upB) : (gateB, b);
            next += 2;
        }
        return new GateBranches(inner, outer, gateB, upB, outer is null ? null : Keep(inputs[next]!));
    }

    private static IEnumerable<Tensor> InPairs(Tensor[] ofA, Tensor[] ofB) => ofA.Zip(ofB).SelectMany(pair => (Tensor[])[pair.First, pair.Second]);
}
