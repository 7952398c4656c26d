using FlatPO.Recipes.Operations;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones;

/// <summary>What an adapter adds to its layer's output, where that is s · B A x and nothing else.</summary>
/// <param name="A">Float32 [rank, in].</param>
/// <param name="B">Float32 [out, rank].</param>
/// <param name="Scale">s.</param>
public sealed record LowRankUpdate(TrainableTensor A, TrainableTensor B, double Scale);

/// <summary>The low-rank updates of neighbouring layers as one branch.</summary>
internal static class LowRankBranches
{
    private const double LeastShare = 0.75; // of the outputs that change: below it, one product over all of them reads more than it saves

    /// <summary>
    /// The branch of layers that read the same input and whose outputs lie one behind the other, with A and B of each as they are live; null where nothing sits at any of
    /// them. False where an adapter is more than a low-rank update.
    /// </summary>
    internal static bool TryOf(IReadOnlyList<Projection> layers, ScalarType format, out LowRankBranch? branch, out Tensor[] factors)
    {
        (branch, factors) = (null, []);
        List<(long First, LowRankUpdate Update)> updates = [];
        long first = 0;
        foreach (Projection layer in layers)
        {
            if (layer.Occupant is not null && layer.Adapter?.LowRank is null)
                return false;
            if (layer.Adapter?.LowRank is { } update)
                updates.Add((first, update));
            first += layer.Out;
        }
        if (updates.Count == 0)
            return true;
        if (updates[0].Update.A.Arena is not { } arena || updates.Any(own => own.Update.A.Arena != arena))
            return false;
        factors = [.. updates.SelectMany(own => (Tensor[])[own.Update.A.Live, own.Update.B.Live])];
        branch = format == ScalarType.Float32
            ? new LowRankBranch(Stacked(updates), [.. updates.Select(own => new LowRankMember(own.First, own.Update.B.Live.detach(), own.Update.Scale))])
            : InHalves(updates, first, arena.Copies, format);
        return true;
    }

    /// <summary>The branch of updates in a half-width format, each from its own first output on: by one matrix of all B where they change most of the outputs.</summary>
    internal static LowRankBranch InHalves(IReadOnlyList<(long First, LowRankUpdate Update)> updates, long outputs, FactorCopies copies, ScalarType format)
    {
        Tensor a = copies.Below([.. updates.Select(own => own.Update.A)], format);
        if (updates.Count == 1 || updates.Sum(own => own.Update.B.Shape[0]) < LeastShare * outputs)
            return new LowRankBranch(a, [.. updates.Select(own => new LowRankMember(own.First, copies.Beside(own.Update.B, format), own.Update.Scale))]);
        Tensor diagonal = copies.Diagonal([.. updates.Select(own => (own.First, own.Update.B))], outputs, format);
        List<LowRankMember> members = [];
        long column = 0;
        foreach ((long first, LowRankUpdate update) in updates)
        {
            (long rows, long width) = (update.B.Shape[0], 2 * update.B.Shape[1]);
            members.Add(new LowRankMember(first, diagonal.narrow(0, first, rows).narrow(1, column, width), update.Scale));
            column += width;
        }
        return new LowRankBranch(a, members, diagonal);
    }

    private static Tensor Stacked(List<(long First, LowRankUpdate Update)> updates)
    {
        using var noGrad = no_grad();
        return updates.Count == 1 ? updates[0].Update.A.Live.detach() : cat([.. updates.Select(own => own.Update.A.Live)], 0);
    }
}
