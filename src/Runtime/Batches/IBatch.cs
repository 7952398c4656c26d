using static TorchSharp.torch;

namespace FlatPO.Recipes.Batches;

/// <summary>Tensors of one micro-batch on the device.</summary>
public interface IBatch : IDisposable
{
    /// <summary>How many predictions the batch's loss is a sum of.</summary>
    long Supervised { get; }

    /// <summary>The towers that its examples pass through: all of them, but for a batch of text alone on a backbone that also sees.</summary>
    Towers Fed => Towers.All;

    /// <summary>
    /// What is known of it on the host, beside the sizes of its tensors, that decides which kernels a pass over it runs: batches of one signature and of equal sizes run the same ones.
    /// </summary>
    string Signature { get; }

    /// <summary>Tokens and padding of a row; 0 where it has no rows of tokens.</summary>
    long Length => 0;

    /// <summary>All its tensors, always in the same order.</summary>
    IReadOnlyList<Tensor> Tensors
    {
        get
        {
            List<Tensor> all = [];
            Each(tensor =>
            {
                all.Add(tensor);
                return tensor;
            });
            return all;
        }
    }

    /// <summary>The same batch with other tensors of the same sizes, each made of the one it stands for.</summary>
    IBatch Each(Func<Tensor, Tensor> change);

    /// <summary>
    /// The batch as one of few sizes: its rows padded on the right to <paramref name="length"/>, its loss computed on places for at least <paramref name="supervised"/> predictions, rounded up. It
    /// predicts and learns the same.
    /// </summary>
    IBatch Rounded(long length, long supervised) => this;
}
