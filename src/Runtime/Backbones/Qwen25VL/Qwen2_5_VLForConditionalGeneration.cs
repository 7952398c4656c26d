using FlatPO.Recipes;
using FlatPO.Recipes.Backbones.Blocks;
using FlatPO.Recipes.Backbones.Qwen25VL;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using static TorchSharp.torch;

[assembly: DeclaresBackbone(typeof(Qwen2_5_VLForConditionalGeneration))]

namespace FlatPO.Recipes.Backbones.Qwen25VL;

/// <summary>
/// Qwen 2.5 VL (transformers <c>modeling_qwen2_5_vl.py</c>): Qwen 2's decoder, which reads what the vision tower saw in place of the image tokens, with positions
/// on three axes. Modules carry the names of transformers 5; checkpoints keep the published ones. The decoder's part of config.json is <c>text_config</c>
/// (transformers 5) or all of it (as published).
/// </summary>
[BackboneFamily("qwen2_5_vl", TaskType.ImageTextToText, MaxLength = "text_config.max_position_embeddings ?? max_position_embeddings",
    Shape = ["vision_config.depth", "vision_config.hidden_size", "vision_config.num_heads", "vision_config.intermediate_size", "vision_config.out_hidden_size",
        "text_config.hidden_size", "text_config.num_hidden_layers", "text_config.num_attention_heads", "text_config.num_key_value_heads", "text_config.intermediate_size", "text_config.vocab_size",
        "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "intermediate_size", "vocab_size"])]
[Tower(Towers.Vision,
    Layers = "vision_config.depth",
    Positions = "pixels / (" + PatchArea + ")",
    PixelsPerToken = PatchArea + " * (vision_config.spatial_merge_size ?? 2) * (vision_config.spatial_merge_size ?? 2)",
    Weights = Seen + " * (vision_config.in_channels ?? vision_config.in_chans ?? 3) * (vision_config.temporal_patch_size ?? 2) * " + PatchArea,
    LayerActivations = "6 * " + Seen + " + 3 * " + SeenWide,
    FusedActivations = "7 * " + Seen + " + 2 * " + SeenWide)]
[Tower(Towers.Language,
    Layers = "text_config.num_hidden_layers ?? num_hidden_layers",
    LayerActivations = "2 * " + Hidden + " + 2 * " + Queries + " + 2 * " + Keys + " + 3 * " + Wide,
    FusedActivations = "3 * " + Hidden + " + 2 * " + Queries + " + 2 * " + Keys + " + 2 * " + Wide)]
[Site("model.visual.blocks.{layer}.norm1", Sites.Norm, Tower = Towers.Vision, In = Seen, Out = Seen, Published = "visual.blocks.{layer}.norm1")]
[Site("model.visual.blocks.{layer}.norm2", Sites.Norm, Tower = Towers.Vision, In = Seen, Out = Seen, Published = "visual.blocks.{layer}.norm2")]
[Site("model.visual.blocks.{layer}.attn.qkv", Sites.Query | Sites.Key | Sites.Value, Tower = Towers.Vision, In = Seen, Out = "3 * " + Seen, Bias = "1", Published = "visual.blocks.{layer}.attn.qkv")]
[Site("model.visual.blocks.{layer}.attn.proj", Sites.Output, Tower = Towers.Vision, In = Seen, Out = Seen, Bias = "1", Published = "visual.blocks.{layer}.attn.proj")]
[Site("model.visual.blocks.{layer}.mlp.gate_proj", Sites.Gate, Tower = Towers.Vision, In = Seen, Out = SeenWide, Bias = "1", Published = "visual.blocks.{layer}.mlp.gate_proj")]
[Site("model.visual.blocks.{layer}.mlp.up_proj", Sites.Up, Tower = Towers.Vision, In = Seen, Out = SeenWide, Bias = "1", Published = "visual.blocks.{layer}.mlp.up_proj")]
[Site("model.visual.blocks.{layer}.mlp.down_proj", Sites.Down, Tower = Towers.Vision, In = SeenWide, Out = Seen, Bias = "1", Published = "visual.blocks.{layer}.mlp.down_proj")]
[Site("model.visual.merger.ln_q", Sites.Norm, Tower = Towers.Vision, In = Seen, Out = Seen, Published = "visual.merger.ln_q")]
[Site("model.visual.merger.mlp.0", Sites.Up, Tower = Towers.Vision, In = Merged, Out = Merged, Bias = "1", Published = "visual.merger.mlp.0")]
[Site("model.visual.merger.mlp.2", Sites.Down, Tower = Towers.Vision, In = Merged, Out = Hidden, Bias = "1", Published = "visual.merger.mlp.2")]
[Site("model.language_model.embed_tokens", Sites.Embedding, Tower = Towers.Language, In = Vocabulary, Out = Hidden, Published = "model.embed_tokens")]
[Site("model.language_model.layers.{layer}.self_attn.q_proj", Sites.Query, Tower = Towers.Language, In = Hidden, Out = Queries, Bias = "1", Published = "model.layers.{layer}.self_attn.q_proj")]
[Site("model.language_model.layers.{layer}.self_attn.k_proj", Sites.Key, Tower = Towers.Language, In = Hidden, Out = Keys, Bias = "1", Published = "model.layers.{layer}.self_attn.k_proj")]
[Site("model.language_model.layers.{layer}.self_attn.v_proj", Sites.Value, Tower = Towers.Language, In = Hidden, Out = Keys, Bias = "1", Published = "model.layers.{layer}.self_attn.v_proj")]
[Site("model.language_model.layers.{layer}.self_attn.o_proj", Sites.Output, Tower = Towers.Language, In = Queries, Out = Hidden, Published = "model.layers.{layer}.self_attn.o_proj")]
[Site("model.language_model.layers.{layer}.mlp.gate_proj", Sites.Gate, Tower = Towers.Language, In = Hidden, Out = Wide, Published = "model.layers.{layer}.mlp.gate_proj")]
[Site("model.language_model.layers.{layer}.mlp.up_proj", Sites.Up, Tower = Towers.Language, In = Hidden, Out = Wide, Published = "model.layers.{layer}.mlp.up_proj")]
[Site("model.language_model.layers.{layer}.mlp.down_proj", Sites.Down, Tower = Towers.Language, In = Wide, Out = Hidden, Published = "model.layers.{layer}.mlp.down_proj")]
[Site("model.language_model.layers.{layer}.input_layernorm", Sites.Norm, Tower = Towers.Language, In = Hidden, Out = Hidden, Published = "model.layers.{layer}.input_layernorm")]
[Site("model.language_model.layers.{layer}.post_attention_layernorm", Sites.Norm, Tower = Towers.Language, In = Hidden, Out = Hidden, Published = "model.layers.{layer}.post_attention_layernorm")]
[Site("model.language_model.norm", Sites.Norm, Tower = Towers.Language, In = Hidden, Out = Hidden, Published = "model.norm")]
[Site("lm_head", Sites.Head, Tower = Towers.Language, In = Hidden, Out = Vocabulary, Tied = "tie_word_embeddings ?? text_config.tie_word_embeddings ?? 0")]
public sealed class Qwen2_5_VLForConditionalGeneration : MultimodalLM
{
    private const string Seen = "vision_config.hidden_size";
    private const string SeenWide = "vision_config.intermediate_size";
    private const string PatchArea = "(vision_config.patch_size ?? 14) * (vision_config.patch_size ?? 14)";
    private const string Merged = Seen + " * (vision_config.spatial_merge_size ?? 2) * (vision_config.spatial_merge_size ?? 2)";
    private const string Hidden = "(text_config.hidden_size ?? hidden_size)";
    private const string Wide = "(text_config.intermediate_size ?? intermediate_size)";
    private const string Vocabulary = "(text_config.vocab_size ?? vocab_size)";
    private const string Heads = "(text_config.num_attention_heads ?? num_attention_heads)";
    private const string Head = "(text_config.head_dim ?? head_dim ?? " + Hidden + " / " + Heads + ")";
    private const string Queries = Heads + " * " + Head;
    private const string Keys = "(text_config.num_key_value_heads ?? num_key_value_heads ?? " + Heads + ") * " + Head;
    private const long DefaultImageToken = 151655;

    private readonly VisionTower vision;
    private readonly RotaryDecoder decoder;
    private readonly Tensor axes; // int64 [head width / 2]: which of a position's three axes each frequency turns by

    /// <summary>Declares the network config.json describes.</summary>
    public Qwen2_5_VLForConditionalGeneration(WeightTable weights)
        : base(weights)
    {
        ModelConfig config = weights.Config;
        TextConfig = config.Has("text_config") ? config.Section("text_config") : config;
        ImageToken = config.Int("image_token_id", DefaultImageToken);
        weights.Publish("model.visual", "visual");
        weights.Publish("model.language_model", "model");
        vision = new VisionTower(weights, config.Section("vision_config"), TextConfig.Size("hidden_size"));
        decoder = new RotaryDecoder(weights, new RotaryDecoderSettings
        {
            Config = TextConfig,
            Path = "model.language_model",
            Tied = config.Flag("tie_word_embeddings", TextConfig.Flag("tie_word_embeddings", false)),
            QueryKeyValueBias = true,
            TakesInputs = false, // peft puts nothing before texts with images
        }.WithUpperWindow());
        axes = weights.Keep(tensor(Axes(TextConfig, decoder.Rotary.HeadWidth), device: weights.Device));
    }

    /// <inheritdoc/>
    public override bool CountsPadding => decoder.Rotary.DependsOnLength;

    /// <inheritdoc/>
    public override long ImageToken { get; }

    /// <inheritdoc/>
    public override PatchFormat Patches => vision.Format;

    /// <inheritdoc/>
    protected override ModelConfig TextConfig { get; }

    /// <inheritdoc/>
    protected override HeadInput? BeforeHead(MultimodalBatch batch)
    {
        using var scope = NewDisposeScope();
        TokenPlaces places = PlacesOf(batch);
        return decoder.BeforeHead(CausalView.Of(batch.Tokens), Embed(batch, places), Turns(places.Positions, batch.Tokens.InputIds.size(1)), Training).Kept();
    }

    /// <inheritdoc/>
    public override Tensor NextLogits(DecoderPass pass, MultimodalBatch prompt)
    {
        using var scope = NewDisposeScope();
        TokenPlaces places = PlacesOf(prompt);
        bool reads = pass.First == 0; // the prompt, images and all; later passes bring a token a row
        Tensor x = reads ? Embed(prompt, places) : decoder.Embed(pass.NewIds); // [rows, T, hidden]
        Tensor positions = reads ? places.Positions : Behind(places.Positions, pass);
        return decoder.NextLogits(pass, x, Turns(positions, pass.Length)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// What the vision tower saw: pixels [patches of all images, numbers of a patch] of images with these grids to [image tokens, hidden], the vectors that
    /// stand in for the image tokens'; <paramref name="patches"/> are where their patches lie, if that was worked out before. Throws FPO3032 where the pixels are not those of the grids.
    /// </summary>
    public Tensor ImageFeatures(Tensor? pixelValues, IReadOnlyList<PatchGrid> grids, PatchPlaces? patches = null) =>
        vision.Forward(pixelValues ?? throw new RecipeException("FPO3032", $"the batch has {grids.Count} images and no pixel values"), grids, patches);

    /// <inheritdoc/>
    protected override TokenPlaces Locate(TokenRows tokens, IReadOnlyList<PatchGrid> grids, Device device)
    {
        MultimodalPositions positions = MultimodalPositions.Of(tokens, grids, ImageToken, (int)Patches.Merge);
        return new TokenPlaces(
            tensor(positions.Numbers, [3, tokens.Rows, tokens.Length], device: device),
            positions.ImageTokens.Count > 0 ? tensor(positions.ImageTokens.ToArray(), device: device) : null)
        {
            Patches = grids.Count > 0 ? vision.Locate(grids, device) : null,
        };
    }

    private TokenPlaces PlacesOf(MultimodalBatch batch)
    {
        if (batch.Places is { } known)
            return known;
        Recording.Refuse("a batch without places is read back from the device");
        return Locate(TokenRows.Of(batch.Tokens), batch.Grids, Device);
    }

    // [rows, T, hidden], with what the vision tower saw in place of the image tokens
    private Tensor Embed(MultimodalBatch batch, TokenPlaces places)
    {
        using var scope = NewDisposeScope();
        Tensor x = decoder.Embed(batch.Tokens.InputIds);
        if (places.ImageTokens is not { } where)
            return x.MoveToOuterDisposeScope();
        Tensor See() => ImageFeatures(batch.PixelValues, batch.Grids, places.Patches);
        // both passes of a step see the same, unless something is trained there
        Tensor seen = Training && is_grad_enabled() && !vision.IsTrained ? batch.SeenOnce(See) : See();
        return x.flatten(0, 1).index_copy(0, where, seen).view(x.shape).MoveToOuterDisposeScope();
    }

    // What follows a prompt goes on behind its furthest position, alike on all axes: [3, rows, T].
    private static Tensor Behind(Tensor prompt, DecoderPass pass)
    {
        using var scope = NewDisposeScope();
        Tensor next = prompt.amax([0, 2]).unsqueeze(1); // [rows, 1]: the last position of each
        Tensor places = Scalars.Positions(pass.Length - prompt.size(2), prompt.device).narrow(0, pass.First - prompt.size(2), pass.Length - pass.First).add(Scalars.One); // [T]
        return next.Plus(places).unsqueeze(0).expand(prompt.size(0), -1, -1).MoveToOuterDisposeScope();
    }

    // apply_multimodal_rotary_pos_emb: the first frequencies turn by time, the next by rows, the last by columns.
    private RotaryTable Turns(Tensor positions, long context)
    {
        using var scope = NewDisposeScope();
        Tensor chosen = positions.index_select(0, axes).permute(1, 2, 0).unsqueeze(1); // [rows, 1, T, head width / 2]
        return decoder.Rotary.At(chosen, context, Weights.Dtype).MoveToOuterDisposeScope();
    }

    private static long[] Axes(ModelConfig config, long headWidth)
    {
        string key = config.Has("rope_parameters") ? "rope_parameters.mrope_section" : "rope_scaling.mrope_section";
        IReadOnlyList<long> sections = config.IntList(key);
        if (sections is not [>= 0, >= 0, >= 0] || 2 * sections.Sum() != headWidth)
            throw config.Invalid(key, $"three whole numbers that add up to half a head's width, {headWidth / 2}");
        return [.. sections.SelectMany((count, axis) => Enumerable.Repeat((long)axis, (int)count))];
    }
}
