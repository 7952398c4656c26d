using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones;

/// <summary>What sits at a site; the methods are in Adapters. It announces its trainable tensors; nothing guesses them from names.</summary>
public abstract class Adapter : IDisposable
{
    /// <summary>
    /// The trainable tensors, in the order PEFT registers them. One that gets no gradient while another is zero says so (<see cref="TrainableTensor.WaitsFor"/>): any other
    /// without a gradient is an error of the first step.
    /// </summary>
    public abstract IReadOnlyList<TrainableTensor> Tensors { get; }

    /// <summary>What an adapter file holds of it; the trainable tensors unless a method says otherwise.</summary>
    public virtual IEnumerable<FileTensor> FileTensors => Tensors.Select(tensor => FileTensor.Of(tensor));

    /// <summary>True while training: dropout acts.</summary>
    public bool Training { get; set; }

    /// <summary>Releases what it holds beside its trainable tensors; the backbone it sits at calls this when it goes.</summary>
    public virtual void Dispose() => GC.SuppressFinalize(this);

    /// <summary>The site's weights with the adapter merged into them, float32; none where nothing changes.</summary>
    internal abstract IEnumerable<(Weight Weight, Tensor Merged)> Merge(Site site);
}

/// <summary>Numbers of the site itself that are trained in place of the frozen ones.</summary>
public sealed class TrainedWeights : Adapter
{
    private readonly IReadOnlyList<(string Part, TrainableTensor Tensor)> parts;

    /// <summary>Trains parts of a site: <c>weight</c>, <c>bias</c>.</summary>
    public TrainedWeights(IReadOnlyList<(string Part, TrainableTensor Tensor)> parts) =>
        (this.parts, Tensors) = (parts, [.. parts.Select(part => part.Tensor)]);

    /// <inheritdoc/>
    public override IReadOnlyList<TrainableTensor> Tensors { get; }

    /// <summary>The site's weight; null where it is not trained.</summary>
    public TrainableTensor? Weight => Of("weight");

    /// <summary>The site's bias; null where it has none or it is not trained.</summary>
    public TrainableTensor? Bias => Of("bias");

    internal override IEnumerable<(Weight Weight, Tensor Merged)> Merge(Site site) => []; // the trained numbers are the weights

    internal TrainableTensor? Of(string part) => parts.FirstOrDefault(own => own.Part == part).Tensor;
}

/// <summary>What a linear layer asks of the adapter that sits at it.</summary>
public abstract class AdapterLayer : Adapter
{
    /// <summary>The adapted layer's output for x [..., in]: [..., out] in x's number format.</summary>
    public abstract Tensor Forward(Tensor x, Projection site);

    /// <summary>What it adds to the frozen output, where that is a low-rank update and nothing else at this moment: such layers are computed together. Null otherwise.</summary>
    public virtual LowRankUpdate? LowRank => null;

    /// <summary>The site's weight with the adapter merged into it: float32 [out, in].</summary>
    public abstract Tensor MergedWeight(Projection site);

    /// <summary>The site's bias with the adapter merged into it: float32 [out]; null where merging leaves it as it is.</summary>
    public virtual Tensor? MergedBias(Projection site) => null;

    internal sealed override IEnumerable<(Weight Weight, Tensor Merged)> Merge(Site site)
    {
        Projection linear = (Projection)site;
        yield return (linear.Weight, MergedWeight(linear));
        if (MergedBias(linear) is { } bias)
            yield return (linear.Bias!, bias);
    }
}

/// <summary>What a table of vectors asks of the adapter that sits at it.</summary>
public abstract class EmbeddingAdapter : Adapter
{
    /// <summary>The adapted vectors of ids [...]: [..., width] in the table's number format.</summary>
    public abstract Tensor Forward(Tensor ids, EmbeddingSite site);

    /// <summary>The table with the adapter merged into it: float32 [count, width].</summary>
    public abstract Tensor MergedWeight(EmbeddingSite site);

    internal sealed override IEnumerable<(Weight Weight, Tensor Merged)> Merge(Site site) => [(((EmbeddingSite)site).Weight, MergedWeight((EmbeddingSite)site))];
}

/// <summary>What stands beside the tokens of every text or the patches of every image.</summary>
public abstract class InputAdapter : Adapter
{
    /// <summary>How many places it takes.</summary>
    public abstract int Places { get; }

    internal sealed override IEnumerable<(Weight Weight, Tensor Merged)> Merge(Site site) =>
        throw new RecipeException("FPO1044", $"what stands beside the inputs of {site.Module} is no part of a weight, so no checkpoint can hold it; save the adapter instead");
}

/// <summary>Vectors that are read like those of tokens or patches.</summary>
public abstract class PromptAdapter : InputAdapter
{
    /// <summary>The vectors: float32 [places, width].</summary>
    public abstract Tensor Vectors();

    /// <summary>Vectors that take the places' own before a layer above the first: float32 [places, width]; null where what the layer below made of them goes on.</summary>
    public virtual Tensor? VectorsBefore(int layer) => null;
}

/// <summary>Keys and values that every layer sees before the text's own.</summary>
public abstract class PrefixAdapter : InputAdapter
{
    /// <summary>Those of all layers, a layer's keys before its values: float32 [2 · layers, heads, places, head width].</summary>
    public abstract Tensor KeysAndValues();
}
