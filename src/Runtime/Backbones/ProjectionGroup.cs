using FlatPO.Recipes.Native;
using FlatPO.Recipes.Operations;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Backbones;

/// <summary>
/// Linear layers that read the same input (query, key and value; gate and up). Their frozen weights lie one behind the other in one tensor, of which each layer's weight is a
/// view, so that one product serves all. Outside they are layers like any other.
/// </summary>
internal sealed class ProjectionGroup(params Projection[] members) : IDisposable
{
    private readonly Tensor[] views = new Tensor[members.Length];
    private readonly Tensor?[] biasViews = new Tensor?[members.Length];
    private FrozenLinear? joined;

    /// <summary>Widths of the members' outputs.</summary>
    internal long[] Widths { get; } = [.. members.Select(member => member.Out)];

    /// <summary>All weights as one, where each member computes with its part of it; null where a member is trained whole or another weight stands in for its own.</summary>
    internal FrozenLinear? Joined => joined is not null && Enumerable.Range(0, members.Length).All(IsWhole) ? joined : null;

    /// <summary>The low-rank branches of the members, where these are all that sits at them; false where something else does.</summary>
    internal bool TryBranches(ScalarType format, out LowRankBranch? branch, out Tensor[] factors) => LowRankBranches.TryOf(members, format, out branch, out factors);

    /// <summary>x [..., in] to the members' outputs, [..., out] each.</summary>
    internal Tensor[] Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return [.. (TryForward(x) is { } all ? all.split(Widths, -1) : Separately(x)).Select(output => output.MoveToOuterDisposeScope())];
    }

    /// <summary>x [..., in] to all outputs side by side, [..., Σ out]; null where they must be computed one by one.</summary>
    internal Tensor? TryForward(Tensor x)
    {
        if (Joined is not { } frozen || !frozen.Takes(x) || !TryBranches(x.dtype, out LowRankBranch? branch, out Tensor[] factors))
            return null;
        return branch is null ? functional.linear(x, frozen.Weight!, frozen.Bias) : new AdaptedProduct(frozen, branch).Run([x, .. factors])[0];
    }

    /// <summary>Lays the loaded weights one behind the other, where they are numbers as they are.</summary>
    internal void Join()
    {
        if (members.Any(member => member.Weight.Packed is not null))
            return; // in 4 bits each stays by itself
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor weight = cat([.. members.Select(member => member.Weight.Frozen)], 0).DetachFromDisposeScope();
        Tensor? bias = members.All(member => member.Bias is null) ? null : cat([.. members.Select(BiasOf)], 0).DetachFromDisposeScope();
        long first = 0;
        for (int i = 0; i < members.Length; i++)
        {
            views[i] = weight.narrow(0, first, members[i].Out).DetachFromDisposeScope();
            members[i].Weight.Fill(views[i]);
            if (members[i].Bias is { } own)
                own.Fill(biasViews[i] = bias!.narrow(0, first, members[i].Out).DetachFromDisposeScope());
            first += members[i].Out;
        }
        joined = new FrozenLinear(weight, bias);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        joined?.Weight?.Dispose();
        joined?.Bias?.Dispose();
    }

    private Tensor[] Separately(Tensor x)
    {
        if (Joined is not { } frozen || !frozen.Takes(x))
            return [.. members.Select(member => member.Forward(x))];
        // each adapter adds to its layer's part of one product
        Tensor[] parts = functional.linear(x, frozen.Weight!, frozen.Bias).split(Widths, -1);
        return [.. members.Select((member, i) => member.Forward(x, parts[i]))];
    }

    private bool IsWhole(int member) =>
        members[member].Frozen is { } own && ReferenceEquals(own.Weight, views[member]) && ReferenceEquals(own.Bias, biasViews[member]);

    private static Tensor BiasOf(Projection member) => member.Bias?.Frozen ?? zeros([member.Out], member.Weight.Frozen.dtype, member.Weight.Frozen.device);
}
