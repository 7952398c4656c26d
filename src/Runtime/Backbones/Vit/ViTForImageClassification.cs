using FlatPO.Recipes;
using FlatPO.Recipes.Backbones.Blocks;
using FlatPO.Recipes.Backbones.Vit;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

[assembly: DeclaresBackbone(typeof(ViTForImageClassification))]

namespace FlatPO.Recipes.Backbones.Vit;

/// <summary>
/// The vision transformer with a classifier on its first token (transformers <c>modeling_vit.py</c>). Modules carry the names of transformers 5; checkpoints
/// keep the older, published ones.
/// </summary>
[BackboneFamily("vit", TaskType.ImageClassification,
    Shape = ["hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"])]
[Tower(
    Positions = Patches + " + 1",
    Weights = "hidden_size + (" + Patches + " + 1) * hidden_size + hidden_size * (num_channels ?? 3) * " + PatchArea + " + hidden_size",
    LayerActivations = "6 * hidden_size + intermediate_size")]
[Site("inputs", Sites.Inputs, In = "0", Out = "hidden_size")]
[Site("vit.layers.{layer}.attention.q_proj", Sites.Query, In = "hidden_size", Out = "hidden_size", Bias = "qkv_bias ?? 1", Published = "vit.encoder.layer.{layer}.attention.attention.query")]
[Site("vit.layers.{layer}.attention.k_proj", Sites.Key, In = "hidden_size", Out = "hidden_size", Bias = "qkv_bias ?? 1", Published = "vit.encoder.layer.{layer}.attention.attention.key")]
[Site("vit.layers.{layer}.attention.v_proj", Sites.Value, In = "hidden_size", Out = "hidden_size", Bias = "qkv_bias ?? 1", Published = "vit.encoder.layer.{layer}.attention.attention.value")]
[Site("vit.layers.{layer}.attention.o_proj", Sites.Output, In = "hidden_size", Out = "hidden_size", Bias = "1", Published = "vit.encoder.layer.{layer}.attention.output.dense")]
[Site("vit.layers.{layer}.mlp.fc1", Sites.Up, In = "hidden_size", Out = "intermediate_size", Bias = "1", Published = "vit.encoder.layer.{layer}.intermediate.dense")]
[Site("vit.layers.{layer}.mlp.fc2", Sites.Down, In = "intermediate_size", Out = "hidden_size", Bias = "1", Published = "vit.encoder.layer.{layer}.output.dense")]
[Site("vit.layers.{layer}.layernorm_before", Sites.Norm, In = "hidden_size", Out = "hidden_size", Bias = "1", Published = "vit.encoder.layer.{layer}.layernorm_before")]
[Site("vit.layers.{layer}.layernorm_after", Sites.Norm, In = "hidden_size", Out = "hidden_size", Bias = "1", Published = "vit.encoder.layer.{layer}.layernorm_after")]
[Site("vit.layernorm", Sites.Norm, In = "hidden_size", Out = "hidden_size", Bias = "1")]
[Site("classifier", Sites.Head, In = "hidden_size", Out = Widths.Labels, Bias = "1")]
public sealed class ViTForImageClassification : ImageClassifier
{
    private const string Patches = "((image_size ?? image_size.0) / (patch_size ?? patch_size.0)) * ((image_size ?? image_size.1) / (patch_size ?? patch_size.1))";
    private const string PatchArea = "(patch_size ?? patch_size.0) * (patch_size ?? patch_size.1)";

    private readonly InputSite inputs;
    private readonly PatchEmbedding embedding;
    private readonly Dropout dropout;
    private readonly LayerStack<ViTLayer, AttentionContext> layers;
    private readonly LayerNorm norm;
    private readonly Projection classifier;

    /// <summary>Declares the network config.json describes.</summary>
    public ViTForImageClassification(WeightTable weights)
        : base(weights)
    {
        ModelConfig config = weights.Config;
        long hidden = config.Size("hidden_size");
        weights.BasePrefix = "vit.";
        weights.Ignore("vit.pooler.*", "vit.embeddings.mask_token"); // parts of the base model that a classifier does not use
        inputs = weights.Inputs("inputs", new InputShape(hidden, config.Size("num_hidden_layers"), config.Size("num_attention_heads")));
        embedding = Embedding(weights, hidden);
        dropout = new Dropout(config.Number("hidden_dropout_prob", 0));
        layers = new(weights, config.Size("num_hidden_layers"), i => new ViTLayer(weights, i), (layer, x, context) => layer.Forward(x, context));
        norm = new LayerNorm(weights.Norm("vit.layernorm", hidden), config.Number("layer_norm_eps"));
        classifier = weights.Head("classifier", hidden, config.Labels);
    }

    /// <inheritdoc/>
    public override Tensor Logits(ImageBatch batch)
    {
        using var scope = NewDisposeScope();
        AttentionContext context = new(Training);
        Residual x = new(inputs.Behind(dropout.Forward(embedding.Forward(batch.PixelValues), Training))); // [rows, 1 + patches, hidden]
        for (int i = 0; i < layers.Count; i++)
            x = layers.Forward(i, inputs.Renewed(x, i), context);
        Tensor first = x.At(all => all.select(1, 0)).Normed(norm); // [rows, hidden]; the norm of a token needs that token alone
        return classifier.Forward(first).MoveToOuterDisposeScope();
    }

    private static PatchEmbedding Embedding(WeightTable weights, long hidden)
    {
        ModelConfig config = weights.Config;
        PatchShape shape = new(config.Int("num_channels", 3), config.Extent("image_size"), config.Extent("patch_size"));
        return new PatchEmbedding(
            shape,
            new PatchWeights(
                weights.Declare("vit.embeddings.cls_token", 1, 1, hidden),
                weights.Declare("vit.embeddings.position_embeddings", 1, shape.Count + 1, hidden),
                weights.Declare("vit.embeddings.patch_embeddings.projection.weight", shape.Kernel(hidden)),
                weights.Declare("vit.embeddings.patch_embeddings.projection.bias", hidden)),
            weights.Dtype);
    }
}
