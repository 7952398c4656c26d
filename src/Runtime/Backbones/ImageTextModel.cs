using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones;

/// <summary>
/// Two towers that see and read into one space, where an image lies near the text that describes it. What is learned is which text of the batch belongs to
/// which image and the other way round, so a batch of one pair teaches nothing.
/// </summary>
public abstract class ImageTextModel(WeightTable weights) : Backbone<ImageTextExample, ImageTextBatch>(weights)
{
    // Pairs of a probe: the direction of one vector alone says little.
    private const int ProbePairs = 3;

    // Images or texts that Classify embeds at once.
    private const int AtOnce = 32;

    /// <summary>Tokens of the longest text the network can take.</summary>
    public abstract long LongestText { get; }

    /// <summary>What the logits multiply a cosine by: float32, 0-dim.</summary>
    public abstract Tensor Scale { get; }

    /// <summary>How many tokens the text tower has vectors for.</summary>
    protected abstract long Vocabulary { get; }

    /// <summary>pixelValues [images, channels, height, width] to vectors of length 1: float32 [images, projection].</summary>
    public abstract Tensor ImageEmbeddings(Tensor pixelValues);

    /// <summary>
    /// inputIds and attentionMask, int64 [texts, T], to vectors of length 1: float32 [texts, projection]. Every text has a token that
    /// <see cref="EndOf"/> finds.
    /// </summary>
    public abstract Tensor TextEmbeddings(Tensor inputIds, Tensor attentionMask, Padding padding = Padding.Unknown);

    /// <summary>Where in a text the token lies that stands for all of it; −1 where there is none.</summary>
    public abstract int EndOf(IReadOnlyList<int> text);

    /// <summary>How well each image fits each text, transformers' <c>logits_per_image</c>: float32 [images, texts]. There need not be as many texts as images.</summary>
    public Tensor Logits(ImageTextBatch batch)
    {
        using var scope = NewDisposeScope();
        return Compare(ImageEmbeddings(batch.PixelValues), TextEmbeddings(batch.InputIds, batch.AttentionMask, batch.Padding)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Zero-shot classification: for each image the index of the text that fits it best. Adapters must be bound (<see cref="Trainables.Arena.Bind"/>). Throws
    /// FPO3026 where there are no texts, and what <see cref="Check"/> throws of them.
    /// </summary>
    public IReadOnlyList<int> Classify(IReadOnlyList<ImageExample> images, IReadOnlyList<IReadOnlyList<int>> texts)
    {
        if (texts.Count == 0)
            throw new RecipeException("FPO3026", "there are no texts to choose from; at least one is needed");
        for (int row = 0; row < texts.Count; row++)
            CheckText(texts[row], 0, row);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor described = cat([.. texts.Chunk(AtOnce).Select(Describe)], 0); // [texts, projection]
        List<int> best = [];
        foreach (ImageExample[] some in images.Chunk(AtOnce))
        {
            using var chunk = NewDisposeScope();
            Tensor seen = ImageEmbeddings(Collation.Images(some, Device).PixelValues);
            best.AddRange(Compare(seen, described).argmax(-1).cpu().data<long>().ToArray().Select(index => (int)index));
        }
        return best;
    }

    /// <inheritdoc/>
    public override Tensor? Probe()
    {
        ModelConfig seeing = Config.Section("vision_config"), reading = Config.Section("text_config");
        int end = (int)reading.Int("eos_token_id", Vocabulary - 1);
        if (!seeing.Has("image_size") || EndOf([end]) < 0)
            return null;
        using var scope = NewDisposeScope();
        return Logits(Collate([.. Enumerable.Range(0, ProbePairs).Select(Pair)], 0)).MoveToOuterDisposeScope();

        ImageTextExample Pair(int which)
        {
            (float[] pixels, ImageShape shape) = ProbeInputs.Image(seeing, which);
            return new ImageTextExample(pixels, shape, [.. ProbeInputs.Ids(reading, LongestText - 1, which), end]);
        }
    }

    /// <inheritdoc/>
    public override void Check(IReadOnlyList<ImageTextExample> examples, int maxLength)
    {
        for (int row = 0; row < examples.Count; row++)
            CheckText(examples[row].InputIds, maxLength, row);
    }

    /// <inheritdoc/>
    public override ImageTextBatch Collate(IReadOnlyList<ImageTextExample> examples, int maxLength, Device device) => ImageTextCollation.Pairs(examples, maxLength, EndOf, device);

    /// <summary>
    /// Each image's choice among the batch's texts, then each text's among its images: the mean of their cross-entropies is transformers' <c>clip_loss</c>.
    /// </summary>
    public override Predictions Predict(ImageTextBatch batch)
    {
        using var scope = NewDisposeScope();
        Tensor perImage = Logits(batch); // [rows, rows]
        Tensor right = Scalars.Positions(perImage.size(0), perImage.device);
        return new Predictions(cat([perImage, perImage.t()], 0).MoveToOuterDisposeScope(), cat([right, right], 0).MoveToOuterDisposeScope());
    }

    /// <summary>x [rows, projection] at length 1, in float32: bfloat16 knows a cosine of 0.3 to 0.002, and a scale near 100 makes that 0.2 of a logit.</summary>
    protected static Tensor Normalized(Tensor x)
    {
        using var scope = NewDisposeScope();
        Tensor wide = x.to_type(ScalarType.Float32);
        return wide.div(wide.Squared().sum(-1, keepdim: true).sqrt()).MoveToOuterDisposeScope();
    }

    private Tensor Compare(Tensor images, Tensor texts) => Ops.MatMul(images, texts.t()).mul(Scale);

    private Tensor Describe(IReadOnlyList<IReadOnlyList<int>> texts)
    {
        using var scope = NewDisposeScope();
        (Tensor ids, Tensor mask) = ImageTextCollation.Texts(texts, 0, EndOf, Device);
        return TextEmbeddings(ids, mask, Padding.Right).MoveToOuterDisposeScope();
    }

    private void CheckText(IReadOnlyList<int> text, int maxLength, int row)
    {
        new TokenRange(Vocabulary).CheckIds(text, row);
        if (EndOf(text) < 0)
            throw new RecipeException("FPO3025", $"example {row} has a text without its last token, at which the backbone reads it; tokenize it with the special tokens of the backbone's tokenizer");
        TokenRange.CheckLength(text.Count, maxLength, LongestText, row);
    }
}
