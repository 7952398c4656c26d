using FlatPO.Recipes.Operations;
using FlatPO.Recipes.Tests.Trainables;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Operations;

public sealed class OperationTests
{
    [Fact]
    public void Its_gradients_are_those_its_backward_says()
    {
        using GradientPass pass = GradientPass.Open();
        Tensor x = tensor(new float[] { 2, 3 }).requires_grad_(), y = tensor(new float[] { 5, 7 }).requires_grad_();
        Tensor[] outputs = new ProductAndSum().Run(x, y);
        pass.Backward(outputs[0].mul(outputs[1]).sum());
        // d/dx of x y (x + y) is 2 x y + y²
        Assert.Equal([2 * 2 * 5 + 25, 2 * 3 * 7 + 49], x.grad!.Numbers());
        Assert.Equal([2 * 2 * 5 + 4, 2 * 3 * 7 + 9], y.grad!.Numbers());
    }

    [Fact]
    public void An_output_that_nothing_uses_is_no_gradient()
    {
        using GradientPass pass = GradientPass.Open();
        Tensor x = tensor(new float[] { 2 }).requires_grad_(), y = tensor(new float[] { 5 });
        pass.Backward(new ProductAndSum().Run(x, y)[0].sum());
        Assert.Equal([5], x.grad!.Numbers());
    }

    [Fact]
    public void An_error_in_its_backward_reaches_the_caller_and_the_next_pass_works()
    {
        Tensor x = ones(2).requires_grad_();
        using (GradientPass failing = GradientPass.Open())
        {
            InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => failing.Backward(new Failing().Run(x)[0].sum()));
            Assert.Contains("on purpose", error.Message);
        }
        using GradientPass pass = GradientPass.Open();
        pass.Backward(new ProductAndSum().Run(x, ones(2))[0].sum());
        Assert.Equal([1, 1], x.grad!.Numbers());
    }

    [Fact]
    public void A_pass_leaves_no_tensor_behind()
    {
        Tensor x = ones(2).requires_grad_(), y = ones(2);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (int i = 0; i < 3; i++)
        {
            using var scope = NewDisposeScope();
            using GradientPass pass = GradientPass.Open();
            Tensor[] outputs = new ProductAndSum().Run(x, y);
            if (i != 1) // the second pass is given up
                pass.Backward(outputs[0].mul(outputs[1]).sum());
        }
        x.grad!.Dispose();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    private sealed class ProductAndSum : Operation
    {
        private Tensor x = null!, y = null!;

        protected override Tensor[] Forward(Tensor?[] inputs)
        {
            (x, y) = (Keep(inputs[0]!), Keep(inputs[1]!));
            return [x.mul(y), x.add(y, 1.ToScalar())];
        }

        protected override Tensor?[] Backward(Tensor?[] gradients)
        {
            Tensor ofProduct = gradients[0]!, ofSum = gradients[1] ?? zeros_like(ofProduct);
            return [Asked[0] ? ofProduct.mul(y).add(ofSum, 1.ToScalar()) : null, Asked[1] ? ofProduct.mul(x).add(ofSum, 1.ToScalar()) : null];
        }
    }

    private sealed class Failing : Operation
    {
        protected override Tensor[] Forward(Tensor?[] inputs) => [inputs[0]!.neg()];

        protected override Tensor?[] Backward(Tensor?[] gradients) => throw new InvalidOperationException("on purpose");
    }
}
