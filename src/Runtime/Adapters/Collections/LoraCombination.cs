using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters.Collections;

/// <summary>One LoRA adapter made of several, each with a weight (peft <c>tuners/lora/model.py</c>, <c>add_weighted_adapter</c>). Its scale is 1: α is its rank.</summary>
internal sealed class LoraCombination
{
    private const string Id = "FPO4020";

    private readonly IReadOnlyList<(string Name, AdapterPlacement Placement, double Weight)> parts;
    private readonly AdapterCombination how;
    private readonly int rank;

    /// <summary>Throws FPO4020 where the parts cannot be combined so, naming the part.</summary>
    internal LoraCombination(IReadOnlyList<(string Name, AdapterPlacement Placement, double Weight)> parts, AdapterCombination how, int? rank)
    {
        (this.parts, this.how) = (parts, how);
        if (parts.Count == 0)
            throw new RecipeException(Id, "no adapter to combine was named; at least one is needed");
        foreach ((string name, AdapterPlacement placement, double weight) in parts)
            Check(name, placement, weight);
        if (rank is not null && (how != AdapterCombination.Svd || rank < 1))
            throw new RecipeException(Id, $"a rank of {rank} cannot be asked for with {how}; allowed is at least 1 with {AdapterCombination.Svd}, and none with the others, whose rank follows from the adapters'");
        this.rank = rank ?? RankOf();
    }

    /// <summary>Places the sum on the backbone of the parts, at their sites.</summary>
    internal void PlaceOn(AdapterPlacement sum)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        LoraMethod method = new() { Rank = rank, Alpha = rank };
        foreach (Projection site in parts[0].Placement.AdaptedSites)
        {
            using var step = NewDisposeScope();
            (Tensor a, Tensor b) = Sum(site);
            LoraPair pair = sum.Place(method, site.Module);
            // what the parts do not fill stays zero, as in peft
            pair.A.Value.fill_(Scalars.Zero).narrow(0, 0, a.size(0)).copy_(a);
            pair.B.Value.fill_(Scalars.Zero).narrow(1, 0, b.size(1)).copy_(b);
        }
    }

    private void Check(string name, AdapterPlacement placement, double weight)
    {
        if (!double.IsFinite(weight))
            throw new RecipeException(Id, $"the weight of '{name}' is {weight}; expected a finite number");
        if (placement.Placed.Any(pair => pair.Adapter.GetType() != typeof(LoraPair) || pair.Adapter is LoraPair { Bias: not null }))
            throw new RecipeException(Id, $"'{name}' is not plain LoRA (it is {placement.Method?.PeftType}, DoRA or has a bias of B); only the products of two factors can be summed");
        if (placement.Whole is [{ } whole, ..])
            throw new RecipeException(Id, $"'{name}' trained {whole.Module} whole, and such modules cannot be summed (peft refuses it too)");
        string[] sites = [.. Modules(placement)], expected = [.. Modules(parts[0].Placement)];
        if (sites.Except(expected).Concat(expected.Except(sites)).FirstOrDefault() is { } apart)
            throw new RecipeException(Id, $"'{name}' and '{parts[0].Name}' sit at different sites: only one of them is at {apart}; adapters of the same sites can be combined");
    }

    private int RankOf()
    {
        int[] ranks = [.. parts.Select(part => part.Placement.AtLinearLayers.Max(pair => RankOf(pair.Layer)))];
        return how switch
        {
            AdapterCombination.Concatenated => ranks.Sum(),
            AdapterCombination.Svd => ranks.Max(),
            _ when ranks.Distinct().Count() > 1 => throw new RecipeException(Id, $"{AdapterCombination.Linear} adds factor to factor and needs adapters of one rank; "
                + $"{string.Join(", ", parts.Zip(ranks, (part, found) => $"'{part.Name}' has {found}"))}: use {AdapterCombination.Svd} or {AdapterCombination.Concatenated}"),
            _ => ranks[0],
        };
    }

    /// <summary>A [≤ rank, in] and B [out, ≤ rank] of the sum at a site.</summary>
    private (Tensor A, Tensor B) Sum(Projection site)
    {
        (Tensor A, Tensor B, double Factor)[] pairs = [.. parts.Select(part => Factors(part, site))];
        return how switch
        {
            AdapterCombination.Linear => (
                Total(pairs.Select(pair => Times(pair.A, Math.Sign(pair.Factor) * Math.Sqrt(Math.Abs(pair.Factor))))),
                Total(pairs.Select(pair => Times(pair.B, Math.Sqrt(Math.Abs(pair.Factor)))))),
            AdapterCombination.Concatenated => Stacked(pairs),
            _ => Nearest(Stacked(pairs)),
        };
    }

    /// <summary>w s · A below one another, [Σ rank, in], and B side by side, [out, Σ rank]: their product is the sum.</summary>
    private static (Tensor A, Tensor B) Stacked((Tensor A, Tensor B, double Factor)[] pairs) =>
        (cat([.. pairs.Select(pair => Times(pair.A, pair.Factor))], 0), cat([.. pairs.Select(pair => pair.B)], 1));

    /// <summary>
    /// The singular value decomposition of B A cut at the rank: B = U S, A = Vᵀ. It is taken of the triangles of the factors' QR decompositions, Σ rank each way, and not of
    /// [out, in], which would cost minutes a layer of a large model and give the same.
    /// </summary>
    private (Tensor A, Tensor B) Nearest((Tensor A, Tensor B) product)
    {
        (Tensor left, Tensor below) = linalg.qr(product.B.to_type(ScalarType.Float64)); // [out, k], [k, Σ rank]
        (Tensor right, Tensor beside) = linalg.qr(product.A.to_type(ScalarType.Float64).t()); // [in, l], [l, Σ rank]
        (Tensor u, Tensor s, Tensor vh) = linalg.svd(below.mm(beside.t()), fullMatrices: false);
        long kept = Math.Min(rank, s.size(0));
        Tensor b = left.mm(u.narrow(1, 0, kept).mul(s.narrow(0, 0, kept)));
        Tensor a = vh.narrow(0, 0, kept).mm(right.t());
        return (a, b);
    }

    private static (Tensor A, Tensor B, double Factor) Factors((string Name, AdapterPlacement Placement, double Weight) part, Projection site)
    {
        LoraPair pair = (LoraPair)part.Placement.AtLinearLayers.First(placed => placed.Site == site).Layer;
        return (pair.A.Value, pair.B.Value, part.Weight * pair.Scaling);
    }

    private static Tensor Total(IEnumerable<Tensor> terms) => terms.Aggregate((sum, term) => sum.Plus(term));

    private static Tensor Times(Tensor tensor, double factor)
    {
        using Scalar scalar = factor.ToScalar();
        return tensor.mul(scalar);
    }

    private static int RankOf(AdapterLayer layer) => (int)((LoraPair)layer).A.Shape[0];

    private static IEnumerable<string> Modules(AdapterPlacement placement) => placement.AdaptedSites.Select(site => site.Module);
}
