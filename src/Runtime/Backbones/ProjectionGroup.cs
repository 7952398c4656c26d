using FlatPO.Recipes.Operations;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones;

/// <summary>
/// Linear layers that read the same input (query, key and value; gate and up). Their frozen weights lie one behind the other in one tensor, of which each layer's weight is a
/// view, so that one product serves all; weights in 4 bits stay apart, and their numbers are laid so for each product. Outside they are layers like any other.
/// </summary>
internal sealed class ProjectionGroup(params Projection[] members) : IDisposable
{
    private readonly object[] views = new object[members.Length];
    private readonly Tensor?[] biasViews = new Tensor?[members.Length];
    private FrozenLinear? joined;

    /// <summary>Widths of the members' outputs.</summary>
    internal long[] Widths { get; } = [.. members.Select(member => member.Out)];

    /// <summary>All weights as one, where each member computes with its part of it; null where a member is trained whole or another weight stands in for its own.</summary>
    internal FrozenLinear? Joined => joined is not null && Enumerable.Range(0, members.Length).All(IsWhole) ? joined : null;

    /// <summary>The low-rank branches of the members, where these are all that sits at them; false where something else does.</summary>
    internal bool TryBranches(ScalarType format, out LowRankBranch? branch, out Tensor[] factors) => LowRankBranches.TryOf(members, format, out branch, out factors);

    /// <summary>x [..., in] to the members' outputs, [..., out] each.</summary>
    internal Tensor[] Forward(Tensor x) => Together(x)?.split(Widths, -1) ?? OneByOne(x);

    /// <summary>The members' outputs side by side, [..., Σ out]; null where they must be computed one by one.</summary>
    internal Tensor? Together(Tensor x)
    {
        using var scope = NewDisposeScope();
        return All(x)?.MoveToOuterDisposeScope();
    }

    /// <summary>The members' outputs, each computed by itself.</summary>
    internal Tensor[] OneByOne(Tensor x) => [.. members.Select(member => member.Forward(x))];

    /// <summary>Lays the loaded weights one behind the other.</summary>
    internal void Join()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Nf4Matrix[] packed = [.. members.Select(member => member.Weight.Packed).OfType<Nf4Matrix>()];
        if (packed.Length > 0 && packed.Length < members.Length)
            return; // some in 4 bits and some in full: each on its own
        Tensor? weight = packed.Length > 0 ? null : cat([.. members.Select(member => member.Weight.Frozen)], 0).DetachFromDisposeScope();
        Tensor? bias = members.All(member => member.Bias is null) ? null : cat([.. members.Select(BiasOf)], 0).DetachFromDisposeScope();
        long first = 0;
        for (int i = 0; i < members.Length; i++)
        {
            views[i] = weight is null ? packed[i] : FilledWith(members[i].Weight, weight.narrow(0, first, members[i].Out));
            if (members[i].Bias is { } own)
                biasViews[i] = FilledWith(own, bias!.narrow(0, first, members[i].Out));
            first += members[i].Out;
        }
        joined = weight is null ? new FrozenLinear(packed, bias) : new FrozenLinear(weight, bias);
    }

    /// <inheritdoc/>
    public void Dispose() => joined?.Dispose();

    // [..., Σ out], or null where the members do not compute with one weight. Side by side whatever sits at them: what comes next then reads the same layout, and gives the same bits.
    private Tensor? All(Tensor x)
    {
        if (Joined is not { } frozen || frozen.Format != x.dtype)
            return null;
        if (TryBranches(x.dtype, out LowRankBranch? branch, out Tensor[] factors))
            return branch is null ? frozen.Forward(x) : new AdaptedProduct(frozen, branch).Run([x, .. factors])[0];
        Tensor[] parts = frozen.Forward(x).split(Widths, -1); // each adapter adds to its layer's part of one product
        return cat([.. members.Select((member, i) => member.Forward(x, parts[i]))], -1);
    }

    private bool IsWhole(int member) => members[member] is { Weight: { Trainable: null } weight, Bias: null or { Trainable: null } } whole
        && ReferenceEquals((object?)weight.Packed ?? weight.Frozen, views[member]) && ReferenceEquals(whole.Bias?.Frozen, biasViews[member]);

    private static Tensor FilledWith(Weight weight, Tensor view)
    {
        weight.Fill(view);
        return view;
    }

    private Tensor BiasOf(Projection member)
    {
        Tensor like = members.Select(other => other.Bias).OfType<Weight>().First().Frozen;
        return member.Bias?.Frozen ?? zeros([member.Out], like.dtype, like.device);
    }
}
