using FlatPO.Recipes;
using FlatPO.Recipes.Backbones.Clip;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

[assembly: DeclaresBackbone(typeof(CLIPModel))]

namespace FlatPO.Recipes.Backbones.Clip;

/// <summary>
/// CLIP (transformers <c>modeling_clip.py</c>): a causal text encoder read at the end of the text, a vision transformer read at its class token, both projected
/// into one space. The projections are part of PEFT's <c>all-linear</c>, which leaves out a model's output embedding and CLIP has none.
/// </summary>
[BackboneFamily("clip", TaskType.ImageTextContrastive, MaxLength = ClipSizes.TextPositions,
    Shape = [
        "projection_dim",
        "text_config.hidden_size", "text_config.num_hidden_layers", "text_config.num_attention_heads", "text_config.intermediate_size", "text_config.vocab_size",
        "vision_config.hidden_size", "vision_config.num_hidden_layers", "vision_config.num_attention_heads", "vision_config.intermediate_size",
        "vision_config.image_size", "vision_config.patch_size",
    ])]
[Tower(Towers.Language, Layers = ClipSizes.TextLayers, Positions = "length",
    Weights = ClipSizes.TextWeights, LayerActivations = ClipSizes.TextActivations)]
[Tower(Towers.Vision, Layers = ClipSizes.VisionLayers, Positions = ClipSizes.VisionPositions,
    Weights = ClipSizes.VisionWeights, LayerActivations = ClipSizes.VisionActivations)]
[Site("text_model.embeddings.token_embedding", Sites.Embedding, Tower = Towers.Language, In = ClipSizes.Vocabulary, Out = ClipSizes.TextHidden)]
[Site("text_model.encoder.layers.{layer}.self_attn.k_proj", Sites.Key, Tower = Towers.Language, In = ClipSizes.TextHidden, Out = ClipSizes.TextHidden, Bias = "1")]
[Site("text_model.encoder.layers.{layer}.self_attn.v_proj", Sites.Value, Tower = Towers.Language, In = ClipSizes.TextHidden, Out = ClipSizes.TextHidden, Bias = "1")]
[Site("text_model.encoder.layers.{layer}.self_attn.q_proj", Sites.Query, Tower = Towers.Language, In = ClipSizes.TextHidden, Out = ClipSizes.TextHidden, Bias = "1")]
[Site("text_model.encoder.layers.{layer}.self_attn.out_proj", Sites.Output, Tower = Towers.Language, In = ClipSizes.TextHidden, Out = ClipSizes.TextHidden, Bias = "1")]
[Site("text_model.encoder.layers.{layer}.layer_norm1", Sites.Norm, Tower = Towers.Language, In = ClipSizes.TextHidden, Out = ClipSizes.TextHidden, Bias = "1")]
[Site("text_model.encoder.layers.{layer}.mlp.fc1", Sites.Up, Tower = Towers.Language, In = ClipSizes.TextHidden, Out = ClipSizes.TextWide, Bias = "1")]
[Site("text_model.encoder.layers.{layer}.mlp.fc2", Sites.Down, Tower = Towers.Language, In = ClipSizes.TextWide, Out = ClipSizes.TextHidden, Bias = "1")]
[Site("text_model.encoder.layers.{layer}.layer_norm2", Sites.Norm, Tower = Towers.Language, In = ClipSizes.TextHidden, Out = ClipSizes.TextHidden, Bias = "1")]
[Site("text_model.final_layer_norm", Sites.Norm, Tower = Towers.Language, In = ClipSizes.TextHidden, Out = ClipSizes.TextHidden, Bias = "1")]
[Site("vision_model.inputs", Sites.Inputs, Tower = Towers.Vision, In = "0", Out = ClipSizes.VisionHidden)]
[Site("vision_model.pre_layrnorm", Sites.Norm, Tower = Towers.Vision, In = ClipSizes.VisionHidden, Out = ClipSizes.VisionHidden, Bias = "1")]
[Site("vision_model.encoder.layers.{layer}.self_attn.k_proj", Sites.Key, Tower = Towers.Vision, In = ClipSizes.VisionHidden, Out = ClipSizes.VisionHidden, Bias = "1")]
[Site("vision_model.encoder.layers.{layer}.self_attn.v_proj", Sites.Value, Tower = Towers.Vision, In = ClipSizes.VisionHidden, Out = ClipSizes.VisionHidden, Bias = "1")]
[Site("vision_model.encoder.layers.{layer}.self_attn.q_proj", Sites.Query, Tower = Towers.Vision, In = ClipSizes.VisionHidden, Out = ClipSizes.VisionHidden, Bias = "1")]
[Site("vision_model.encoder.layers.{layer}.self_attn.out_proj", Sites.Output, Tower = Towers.Vision, In = ClipSizes.VisionHidden, Out = ClipSizes.VisionHidden, Bias = "1")]
[Site("vision_model.encoder.layers.{layer}.layer_norm1", Sites.Norm, Tower = Towers.Vision, In = ClipSizes.VisionHidden, Out = ClipSizes.VisionHidden, Bias = "1")]
[Site("vision_model.encoder.layers.{layer}.mlp.fc1", Sites.Up, Tower = Towers.Vision, In = ClipSizes.VisionHidden, Out = ClipSizes.VisionWide, Bias = "1")]
[Site("vision_model.encoder.layers.{layer}.mlp.fc2", Sites.Down, Tower = Towers.Vision, In = ClipSizes.VisionWide, Out = ClipSizes.VisionHidden, Bias = "1")]
[Site("vision_model.encoder.layers.{layer}.layer_norm2", Sites.Norm, Tower = Towers.Vision, In = ClipSizes.VisionHidden, Out = ClipSizes.VisionHidden, Bias = "1")]
[Site("vision_model.post_layernorm", Sites.Norm, Tower = Towers.Vision, In = ClipSizes.VisionHidden, Out = ClipSizes.VisionHidden, Bias = "1")]
[Site("visual_projection", Sites.Projection, Tower = Towers.Vision, In = ClipSizes.VisionHidden, Out = ClipSizes.Shared)]
[Site("text_projection", Sites.Projection, Tower = Towers.Language, In = ClipSizes.TextHidden, Out = ClipSizes.Shared)]
public sealed class CLIPModel : ImageTextModel
{
    private readonly ClipTextTower texts;
    private readonly ClipVisionTower images;
    private readonly Projection imageProjection;
    private readonly Projection textProjection;
    private readonly Weight logitScale;

    /// <summary>Declares the network config.json describes.</summary>
    public CLIPModel(WeightTable weights)
        : base(weights)
    {
        ModelConfig config = weights.Config;
        long shared = config.Size("projection_dim", 512);
        weights.Ignore("*.embeddings.position_ids"); // buffers that old versions saved
        texts = new ClipTextTower(weights, config.Section("text_config"));
        images = new ClipVisionTower(weights, config.Section("vision_config"));
        imageProjection = weights.Linear("visual_projection", Sites.Projection, images.Hidden, shared, bias: false);
        textProjection = weights.Linear("text_projection", Sites.Projection, texts.Hidden, shared, bias: false);
        logitScale = weights.Declare("logit_scale");
    }

    /// <inheritdoc/>
    public override long LongestText => texts.Positions;

    /// <inheritdoc/>
    public override Tensor Scale
    {
        get
        {
            using var scope = NewDisposeScope();
            return logitScale.Value.to_type(ScalarType.Float32).exp().MoveToOuterDisposeScope();
        }
    }

    /// <inheritdoc/>
    protected override long Vocabulary => texts.Vocabulary;

    /// <inheritdoc/>
    public override Tensor ImageEmbeddings(Tensor pixelValues)
    {
        using var scope = NewDisposeScope();
        return Normalized(imageProjection.Forward(images.Forward(pixelValues, Training))).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor TextEmbeddings(Tensor inputIds, Tensor attentionMask, Padding padding = Padding.Unknown)
    {
        using var scope = NewDisposeScope();
        TokenBatch batch = new(inputIds, attentionMask, inputIds, 0) { Padding = padding };
        return Normalized(textProjection.Forward(texts.Forward(batch, Training))).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override int EndOf(IReadOnlyList<int> text) => texts.EndOf(text);
}
