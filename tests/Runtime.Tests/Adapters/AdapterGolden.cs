using System.Text.Json.Nodes;
using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Tests.Backbones;
using FlatPO.Recipes.Tests.Backbones.Qwen25VL;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Trainables;
using Xunit.Abstractions;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Adapters;

/// <summary>Adapters trained by peft: the same logits here, adapted and merged, and the same files back.</summary>
public sealed class AdapterGolden(ITestOutputHelper output)
{
    private const double Tolerance = 1e-4;

    public static TheoryData<string> Cases => Golden.Cases("adapters", "lora_qv", "lora_all_linear", "lora_vit", "lora_clip", "lora_seq_cls", "lora_qwen2_5_vl", "rslora", "dora", "ia3", "vera", "lora_layers_patterns", "lora_embedding_head", "ln_tuning", "prompt", "p_tuning", "prefix", "prefix_opt");

    /// <summary>Those that are part of weights.</summary>
    public static TheoryData<string> Mergeable => [.. ((IEnumerable<object[]>)Cases).Select(row => (string)row[0]).Where(name => !Virtual.Any(part => name.Contains(part, StringComparison.Ordinal)))];

    private static readonly string[] Virtual = ["prompt", "p_tuning", "prefix"];

    [Theory, MemberData(nameof(Cases)), Trait("Category", Golden.Category)]
    public void Gives_pefts_logits(string name)
    {
        using Loaded loaded = Loaded.Open(name);
        AdapterPlacement placement = PeftFolder.Place(loaded.Backbone, Golden.Adapter(name));
        using Arena arena = placement.BuildArena();
        Compare(name, "adapted", loaded.Output, Live(arena, loaded), loaded.Mask);
    }

    [SkippableTheory, MemberData(nameof(Cases)), Trait("Category", Golden.Category)]
    public void Gives_them_on_a_gpu(string name)
    {
        Skip.IfNot(TorchLibraries.TryUseCuda(out string? reason), reason);
        using Loaded loaded = Loaded.Open(name, CUDA);
        AdapterPlacement placement = PeftFolder.Place(loaded.Backbone, Golden.Adapter(name));
        using Arena arena = placement.BuildArena();
        Compare(name, "adapted on a GPU", loaded.Output, Live(arena, loaded).cpu(), loaded.Mask);
    }

    [Theory, MemberData(nameof(Mergeable)), Trait("Category", Golden.Category)]
    public void A_merged_checkpoint_gives_the_adapted_logits(string name)
    {
        using TemporaryFolder folder = new();
        using Loaded loaded = Loaded.Open(name);
        AdapterPlacement placement = PeftFolder.Place(loaded.Backbone, Golden.Adapter(name));
        using Arena arena = placement.BuildArena();
        placement.MergeInto(folder.Path);
        using Backbone merged = BackboneLoader.Load(folder.Path, Devices.Cpu, Precision.Float32);
        Tensor logits = loaded.Logits(merged);
        Compare(name, "merged", loaded.Expected("merged_logits") ?? loaded.Output, logits, loaded.Mask);
    }

    [Theory, MemberData(nameof(Cases)), Trait("Category", Golden.Category)]
    public void Writes_the_tensors_peft_wrote(string name)
    {
        using TemporaryFolder folder = new();
        using Loaded loaded = Loaded.Open(name);
        AdapterPlacement placement = PeftFolder.Place(loaded.Backbone, Golden.Adapter(name));
        placement.Save(folder.Path);
        using SafetensorsFile ours = SafetensorsFile.Open(folder.File("adapter_model.safetensors"));
        using SafetensorsFile theirs = SafetensorsFile.Open(Path.Combine(Golden.Adapter(name), "adapter_model.safetensors"));
        Assert.Equal(theirs.Entries.Keys.Order(), ours.Entries.Keys.Order());
        foreach (string tensor in theirs.Entries.Keys)
            Assert.Equal(theirs.Read(tensor).reshape(-1).Bits(), ours.Read(tensor).reshape(-1).Bits());
        AdapterConfig config = AdapterConfig.Read(folder.Path), reference = AdapterConfig.Read(Golden.Adapter(name));
        Assert.Equal(reference.Texts("target_modules").Order(), config.Texts("target_modules").Order());
        Assert.All((string[])["num_virtual_tokens", "token_dim", "num_attention_heads", "num_layers", "num_transformer_submodules"], size => Assert.Equal(reference.Number(size, 0), config.Number(size, 0)));
        // peft lists "classifier" and "score" for every sequence classifier; a model has one of them
        Assert.Equal(reference.Texts("modules_to_save").Where(name => loaded.Backbone.Weights.Projections.Any(site => site.Module.Split('.').Contains(name))), config.Texts("modules_to_save"));
        Assert.Equal(Golden.Backbone(File.ReadAllText(Path.Combine(Golden.Adapter(name), "base.txt")).Trim()), config.Text("base_model_name_or_path"));
        Assert.Equal(reference.Texts("feedforward_modules").Order(), config.Texts("feedforward_modules").Order());
        Assert.All((string[])["use_rslora", "use_dora", "lora_bias"], variant => Assert.Equal(reference.Flag(variant), config.Flag(variant)));
        Assert.All((string[])["rank_pattern", "alpha_pattern"], pattern => Assert.Equal(reference.Numbers(pattern), config.Numbers(pattern)));
        Assert.Equal(reference.Integers("layers_to_transform"), config.Integers("layers_to_transform"));
        Assert.Subset(Keys(Golden.Adapter(name)), Keys(folder.Path)); // peft refuses or drops what it does not know
        Assert.Equal((reference.PeftType, reference.Text("task_type"), reference.Number("r", 0), reference.Number("lora_alpha", 0)), (config.PeftType, config.Text("task_type"), config.Number("r", 0), config.Number("lora_alpha", 0)));
    }

    private static HashSet<string> Keys(string folder) =>
        [.. JsonNode.Parse(File.ReadAllText(Path.Combine(folder, AdapterConfig.FileName)))!.AsObject().Select(entry => entry.Key)];

    private static Tensor Live(Arena arena, Loaded loaded)
    {
        using (no_grad())
        using (arena.Bind())
            return loaded.Logits(loaded.Backbone);
    }

    private void Compare(string name, string what, Tensor expected, Tensor actual, Tensor? mask)
    {
        Tensor difference = (expected - actual).abs();
        if (mask is not null && difference.size(1) > mask.size(1)) // a prompt's places stand before the text's
            mask = cat([ones(mask.size(0), difference.size(1) - mask.size(1), mask.dtype), mask], 1);
        double worst = (mask is null ? difference : difference * mask.unsqueeze(-1)).max().ToSingleValue();
        output.WriteLine($"{name}, {what}: largest difference of a logit {worst:e1}");
        Assert.InRange(worst, 0, Tolerance);
    }

    /// <summary>A golden case: its backbone and its inputs.</summary>
    internal sealed record Loaded(Backbone Backbone, SafetensorsFile Case) : IDisposable
    {
        /// <summary>Where logits are compared; null where an example has one row of them.</summary>
        internal Tensor? Mask => Backbone is CausalLM or MultimodalLM ? Expected("attention_mask") : null;

        internal Tensor Output => Expected("logits") ?? Case.Read("logits_per_image");

        internal static Loaded Open(string name, Device? device = null)
        {
            string folder = Golden.Adapter(name);
            string backbone = File.ReadAllText(Path.Combine(folder, "base.txt")).Trim();
            return new Loaded(BackboneLoader.Load(Golden.Backbone(backbone), device ?? CPU, Precision.Float32), Golden.Case(folder));
        }

        internal Tensor? Expected(string tensor) => Case.Entries.ContainsKey(tensor) ? Case.Read(tensor) : null;

        internal Tensor Logits(Backbone backbone)
        {
            using var noGrad = no_grad();
            return backbone switch
            {
                CausalLM language => language.Logits(Moved(new TokenBatch(Case.Read("input_ids"), Case.Read("attention_mask"), Case.Read("input_ids"), 0))),
                SequenceClassifier texts => texts.Logits(Moved(SequenceGolden.Batch(Case))),
                ImageClassifier images => images.Logits(new ImageBatch(Moved(Case.Read("pixel_values")), zeros(Case.Read("pixel_values").size(0), int64, Backbone.Device))),
                ImageTextModel both => both.Logits(Moved(ClipGolden.Batch(Case))),
                MultimodalLM multimodal => multimodal.Logits(Moved(QwenVlCase.Batch(Case))),
                _ => throw new InvalidOperationException(backbone.GetType().Name),
            };
        }

        private Tensor Moved(Tensor tensor) => tensor.to(Backbone.Device);

        private TokenBatch Moved(TokenBatch batch) => batch with { InputIds = Moved(batch.InputIds), AttentionMask = Moved(batch.AttentionMask), Labels = Moved(batch.Labels) };

        private SequenceBatch Moved(SequenceBatch batch) =>
            batch with { InputIds = Moved(batch.InputIds), AttentionMask = Moved(batch.AttentionMask), TokenTypeIds = Moved(batch.TokenTypeIds), Labels = Moved(batch.Labels) };

        private ImageTextBatch Moved(ImageTextBatch batch) =>
            batch with { PixelValues = Moved(batch.PixelValues), InputIds = Moved(batch.InputIds), AttentionMask = Moved(batch.AttentionMask) };

        private MultimodalBatch Moved(MultimodalBatch batch) => batch with { Tokens = Moved(batch.Tokens), PixelValues = Moved(batch.PixelValues!) };

        public void Dispose()
        {
            Case.Dispose();
            Backbone.Dispose();
        }
    }
}
