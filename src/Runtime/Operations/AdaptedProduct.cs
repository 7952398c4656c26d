using static TorchSharp.torch;

namespace FlatPO.Recipes.Operations;

/// <summary>
/// y = x Wᵀ + b + s · (x Aᵀ) Bᵀ with W and b frozen, for one layer or for several that read the same input, one behind the other in W. Inputs: x [..., in], then A_i
/// [rank_i, in] and B_i [out_i, rank_i] of each branch, float32, which take the gradients; the numbers are read off <paramref name="branch"/>. It keeps x and the hidden numbers.
/// </summary>
internal sealed class AdaptedProduct(FrozenLinear frozen, LowRankBranch branch) : Operation
{
    private LowRankBranch branch = branch;
    private Tensor x = null!; // [T, in]
    private Tensor hidden = null!; // [T, parts · Σ rank]
    private long[] shape = null!;

    protected override Tensor[] Forward(Tensor?[] inputs)
    {
        shape = inputs[0]!.shape;
        branch = branch.Kept(Keep);
        x = Keep(inputs[0]!.reshape(-1, shape[^1]));
        Tensor y = frozen.Product(inputs[0]!); // in the shape it has without an adapter, so that the same kernel runs
        hidden = Keep(branch.Hidden(x));
        branch.AddTo(y.view(-1, y.size(-1)), hidden);
        return [y];
    }

    protected override Tensor?[] Backward(Tensor?[] gradients)
    {
        Tensor gradient = gradients[0]!.reshape(-1, frozen.Out).contiguous();
        Tensor ofHidden = branch.HiddenGradient(gradient);
        Tensor? ofX = null;
        if (Asked[0])
        {
            ofX = frozen.InputGradient(gradient);
            branch.AddToInput(ofX, ofHidden);
        }
        return [ofX?.view(shape), .. branch.GradientsOfA(ofHidden, x).Zip(branch.GradientsOfB(gradient, hidden)).SelectMany(pair => (Tensor[])[pair.First, pair.Second])];
    }
}
