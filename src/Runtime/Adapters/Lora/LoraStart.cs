using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters.Lora;

/// <summary>How the factors of a pair begin: A [rank, in] and B [out, rank], float32 (peft <c>tuners/lora/layer.py</c>).</summary>
internal static class LoraStart
{
    /// <summary>Whether B A is a part of the site's own weight, which is left out of it (<see cref="LoraRemainder"/>).</summary>
    internal static bool IsPartOfWeight(LoraInitialization initialization) => initialization is LoraInitialization.Pissa or LoraInitialization.Olora;

    /// <summary>Both factors; random numbers come from <paramref name="random"/>.</summary>
    internal static (Tensor A, Tensor B) Factors(LoraMethod method, Projection site, Generator random)
    {
        int rank = method.RankAt(site);
        return method.Initialization switch
        {
            LoraInitialization.Pissa => Principal(site, rank, method.ScalingAt(site)),
            LoraInitialization.Olora => Orthonormal(site, rank),
            LoraInitialization.Gaussian => (randn([rank, site.In], float32, generator: random).mul(Scalars.Of(1.0 / rank)), zeros(site.Out, rank)),
            _ => (DenseStart.Uniform([rank, site.In], 1 / Math.Sqrt(site.In), random), zeros(site.Out, rank)), // kaiming_uniform_(a = √5)
        };
    }

    /// <summary>Both factors at a table of vectors: A zero and B from a normal, whatever the initialization, as in peft.</summary>
    internal static (Tensor A, Tensor B) Factors(LoraMethod method, EmbeddingSite site, Generator random)
    {
        int rank = method.RankAt(site);
        return (zeros(rank, site.In), randn([site.Out, rank], float32, generator: random));
    }

    /// <summary>PiSSA (arXiv 2404.02948, equations 2 and 3): W = U S Vᵀ; A = √(S / s) Vᵀ and B = U √(S / s), of the largest singular values.</summary>
    private static (Tensor A, Tensor B) Principal(Projection site, int rank, double scaling)
    {
        (Tensor u, Tensor s, Tensor vt) = linalg.svd(Weight(site), fullMatrices: false);
        Tensor root = s.narrow(0, 0, rank).div(Scalars.Of(scaling)).sqrt(); // [rank]
        return (root.unsqueeze(1).mul(vt.narrow(0, 0, rank)).contiguous(), u.narrow(1, 0, rank).mul(root).contiguous());
    }

    /// <summary>OLoRA (arXiv 2406.01775, algorithm 1): W = Q R; A is the first rows of R and B the first columns of Q.</summary>
    private static (Tensor A, Tensor B) Orthonormal(Projection site, int rank)
    {
        (Tensor q, Tensor r) = linalg.qr(Weight(site));
        return (r.narrow(0, 0, rank).contiguous(), q.narrow(1, 0, rank).contiguous());
    }

    private static Tensor Weight(Projection site) => site.Weight.Frozen.to_type(ScalarType.Float32);
}
