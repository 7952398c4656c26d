using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>What an adapter puts beside the inputs of a pass.</summary>
internal static class Preamble
{
    /// <summary>x [rows, T, width] behind the vectors of a prompt: [rows, places + T, width]; x itself where there is none.</summary>
    internal static Tensor Before(this InputSite? inputs, Tensor x) =>
        inputs?.Adapter is PromptAdapter prompt ? Joined(prompt.Vectors(), x, (vectors, rest) => cat([vectors, rest], 1)) : x;

    /// <summary>x [rows, T, width] before the vectors of a prompt. Vectors without positions mean the same wherever they stand, and what is read first stays first.</summary>
    internal static Tensor Behind(this InputSite inputs, Tensor x) =>
        inputs.Adapter is PromptAdapter prompt ? Joined(prompt.Vectors(), x, (vectors, rest) => cat([rest, vectors], 1)) : x;

    /// <summary>x [rows, T + places, width] with the prompt's vectors for this layer in the last places; x itself where it has none. Takes x over.</summary>
    internal static Residual Renewed(this InputSite inputs, Residual x, int layer)
    {
        return layer == 0 || inputs.Adapter is not PromptAdapter prompt || prompt.VectorsBefore(layer) is not { } vectors ? x : x.Through(Renew);

        Tensor Renew(Tensor sum)
        {
            using var scope = NewDisposeScope();
            Tensor[] parts = sum.split([sum.size(1) - prompt.Places, prompt.Places], 1);
            return cat([parts[0], Rows(vectors, sum)], 1).MoveToOuterDisposeScope();
        }
    }

    /// <summary>The mask [rows, T] with the places before the text, which every token may see: [rows, places + T].</summary>
    internal static Tensor Mask(this InputSite? inputs, Tensor mask)
    {
        if (inputs is not { Places: > 0 })
            return mask;
        using var scope = NewDisposeScope();
        return cat([ones([mask.size(0), inputs.Places], mask.dtype, mask.device), mask], 1).MoveToOuterDisposeScope();
    }

    private static Tensor Joined(Tensor vectors, Tensor x, Func<Tensor, Tensor, Tensor> join)
    {
        using var scope = NewDisposeScope();
        return join(Rows(vectors, x), x).MoveToOuterDisposeScope();
    }

    // [places, width] to [rows, places, width] in x's number format
    private static Tensor Rows(Tensor vectors, Tensor x) => vectors.to_type(x.dtype).unsqueeze(0).expand(x.size(0), -1, -1);
}
