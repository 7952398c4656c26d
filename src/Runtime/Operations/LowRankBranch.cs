using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Operations;

/// <summary>One low-rank update of a product's outputs: s · B A on a run of them.</summary>
/// <param name="First">The first output it changes.</param>
/// <param name="B">[out, rank], or [out, 2 · rank] of a number and its rest.</param>
/// <param name="Scale">s.</param>
internal sealed record LowRankMember(long First, Tensor B, double Scale);

/// <summary>
/// The low-rank updates of layers that read the same input: s_i · B_i A_i x, added to the outputs of each. In float32 the factors are as they are; in a half-width format each
/// is a number and its rest (<c>Trainables/FactorCopies</c>), and what passes between the factors is summed in float32.
/// </summary>
internal sealed class LowRankBranch
{
    private const int MembersOfKernel = 3;
    private const uint Threads = 256;
    private const uint LargestGrid = 2048;

    private readonly Tensor a; // [parts · Σ rank, in]
    private readonly LowRankMember[] members;
    private readonly Tensor? diagonal; // [out, parts · Σ rank]
    private readonly int parts;

    /// <summary>
    /// Branches over the stacked A of all members, in their order; where all B are there as one matrix with 0 outside of them, <paramref name="diagonal"/> of all outputs, one product serves them all.
    /// </summary>
    internal LowRankBranch(Tensor a, IReadOnlyList<LowRankMember> members, Tensor? diagonal = null)
    {
        (this.a, this.members, this.diagonal) = (a, [.. members], diagonal);
        parts = a.dtype == ScalarType.Float32 ? 1 : 2;
    }

    /// <summary>Its members, in the order of their outputs.</summary>
    internal IReadOnlyList<LowRankMember> Members => members;

    /// <summary>The same over factors that <paramref name="keep"/> keeps.</summary>
    internal LowRankBranch Kept(Func<Tensor, Tensor> keep) => new(keep(a), [.. members.Select(member => member with { B = keep(member.B) })], diagonal is null ? null : keep(diagonal));

    /// <summary>s · A x of every member, a half-width one twice side by side, as B and its rest take it: x [T, in] to [T, parts · Σ rank] in x's format.</summary>
    internal Tensor Hidden(Tensor x)
    {
        using var scope = NewDisposeScope();
        return Folded(Ops.WideProduct(x, a.t()), x.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>Adds B times what <see cref="Hidden"/> gave to outputs y [T, out], in place.</summary>
    internal void AddTo(Tensor y, Tensor hidden)
    {
        using var scope = NewDisposeScope();
        if (diagonal is not null)
        {
            y.addmm_(hidden, diagonal.t());
            return;
        }
        Tensor[] each = Split(hidden);
        for (int i = 0; i < members.Length; i++)
            Of(y, members[i]).addmm_(each[i], members[i].B.t());
    }

    /// <summary>The same of a gradient: s · Bᵀ g of every member, from those of the outputs [T, out].</summary>
    internal Tensor HiddenGradient(Tensor gradient)
    {
        using var scope = NewDisposeScope();
        Tensor[] each = diagonal is not null ? [Ops.WideProduct(gradient, diagonal)] : [.. members.Select(member => Ops.WideProduct(Of(gradient, member), member.B))]; // [T, parts · rank]
        return Folded(each.Length == 1 ? each[0] : cat(each, 1), gradient.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>Adds Aᵀ times what <see cref="HiddenGradient"/> gave to the gradient of the input [T, in], in place.</summary>
    internal void AddToInput(Tensor gradient, Tensor hidden) => gradient.addmm_(hidden, a);

    /// <summary>Gradients of each member's A, float32 [rank, in], from the input and <see cref="HiddenGradient"/>.</summary>
    internal Tensor[] GradientsOfA(Tensor hidden, Tensor x)
    {
        using var scope = NewDisposeScope();
        Tensor both = Ops.WideProduct(hidden.t(), x); // [parts · Σ rank, in]
        Tensor[] each = both.split([.. members.Select(WidthOf)], 0);
        return [.. each.Select((rows, i) => rows.narrow(0, 0, RankOf(members[i])).MoveToOuterDisposeScope())];
    }

    /// <summary>Gradients of each member's B, float32 [out, rank], from those of the outputs and <see cref="Hidden"/>.</summary>
    internal Tensor[] GradientsOfB(Tensor gradient, Tensor hidden)
    {
        using var scope = NewDisposeScope();
        Tensor[] each = diagonal is null
            ? [.. Split(hidden).Zip(members, (own, member) => Ops.WideProduct(Of(gradient, member).t(), own.narrow(1, 0, RankOf(member))))]
            : [.. Split(Ops.WideProduct(gradient.t(), hidden)).Zip(members, (all, member) => all.narrow(0, member.First, member.B.size(0)).narrow(1, 0, RankOf(member)))];
        return [.. each.Select(own => own.MoveToOuterDisposeScope())];
    }

    /// <summary>The parts of [T, parts · Σ rank] that belong to each member.</summary>
    internal Tensor[] Split(Tensor hidden) => hidden.split([.. members.Select(WidthOf)], 1);

    private long WidthOf(LowRankMember member) => member.B.size(1);

    private long RankOf(LowRankMember member) => member.B.size(1) / parts;

    private static Tensor Of(Tensor outputs, LowRankMember member) => outputs.narrow(1, member.First, member.B.size(0));

    // a member's halves are summed, scaled and stand side by side again
    private Tensor Folded(Tensor wide, ScalarType format)
    {
        using var scope = NewDisposeScope();
        if (parts == 2 && members.Length <= MembersOfKernel && format == ScalarType.BFloat16 && Kernels.Usable(wide))
            return FoldedAtOnce(wide).MoveToOuterDisposeScope();
        Tensor[] each = Split(wide);
        Tensor[] folded = new Tensor[members.Length];
        for (int i = 0; i < members.Length; i++)
        {
            if (parts == 1)
                folded[i] = each[i].mul(Scalars.Of(members[i].Scale));
            else
            {
                Tensor[] halves = each[i].chunk(2, 1);
                Tensor sum = halves[0].Plus(halves[1]).mul(Scalars.Of(members[i].Scale)).to_type(format);
                folded[i] = cat([sum, sum], 1);
            }
        }
        return (folded.Length == 1 ? folded[0] : cat(folded, 1)).MoveToOuterDisposeScope();
    }

    private Tensor FoldedAtOnce(Tensor wide)
    {
        Tensor folded = empty_like(wide, ScalarType.BFloat16);
        uint blocks = (uint)Math.Clamp((wide.numel() + Threads - 1) / Threads, 1, LargestGrid);
        (int Rank, float Scale) Member(int i) => i < members.Length ? ((int)RankOf(members[i]), (float)members[i].Scale) : (0, 0);
        (int r0, float s0) = Member(0);
        (int r1, float s1) = Member(1);
        (int r2, float s2) = Member(2);
        Kernel.Of("factors.cu", "fold_halves").Launch((blocks, 1, 1), Threads, 0, wide, folded, wide.size(0), r0, s0, r1, s1, r2, s2);
        return folded;
    }
}
