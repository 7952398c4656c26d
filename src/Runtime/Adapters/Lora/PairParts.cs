using FlatPO.Recipes.Trainables;

namespace FlatPO.Recipes.Adapters.Lora;

/// <summary>What a pair is made of.</summary>
/// <param name="Method">Its method.</param>
/// <param name="A">A, [rank, in].</param>
/// <param name="B">B, [out, rank].</param>
/// <param name="Scaling">s, as the site's rank and alpha make it.</param>
internal sealed record PairParts(LoraMethod Method, TrainableTensor A, TrainableTensor B, double Scaling)
{
    /// <summary>The bias of B, [out].</summary>
    internal TrainableTensor? Bias { get; init; }

    /// <summary>The site's own bias, where it is trained too.</summary>
    internal TrainedBias? OfSite { get; init; }

    /// <summary>What is left of the weight, where the pair begins as a part of it.</summary>
    internal LoraRemainder? Remainder { get; init; }
}
