using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>Dropout that acts while training only, and costs nothing where the configuration sets it to 0.</summary>
internal readonly record struct Dropout(double Probability)
{
    /// <summary>x itself, or x with some of its numbers zeroed and the others scaled up.</summary>
    internal Tensor Forward(Tensor x, bool training) => training && Probability > 0 ? functional.dropout(x, Probability) : x;
}
