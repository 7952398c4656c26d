using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Adapters.Lora;

/// <summary>LoRA at a table of vectors.</summary>
public sealed class EmbeddingTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    [Theory]
    [InlineData("mistral", Precision.Float32), InlineData("mistral", Precision.BFloat16), InlineData("opt", Precision.Float32)]
    public void Begins_as_the_base(string backbone, Precision precision)
    {
        using Tried plain = new(null, backbone, precision), adapted = new(new LoraMethod { Rank = 2 }, backbone, precision, roles: Sites.Embedding);
        Assert.All(adapted.Placement.Placed, pair => Assert.IsType<LoraEmbedding>(pair.Adapter));
        Assert.Equal(plain.Logits().Bits(), adapted.Logits().Bits());
    }

    [Fact]
    public void Adds_the_scaled_product_to_the_rows_of_the_ids()
    {
        using Tried adapted = new(new LoraMethod { Rank = 2, Alpha = 6 }, "mistral", roles: Sites.Embedding);
        adapted.Move();
        (EmbeddingSite site, LoraEmbedding at) = ((EmbeddingSite, LoraEmbedding))adapted.Placement.Placed[0];
        Tensor ids = tensor((long[])[3, 1, 3, 7]), upstream = randn(4, site.Out);
        Tensor table = site.Weight.Frozen + at.B.Value.mm(at.A.Value).t() * 3;
        using (adapted.Arena.Bind())
        {
            Tensor vectors = site.Forward(ids);
            Assert.InRange(Golden.LargestDifference(table[ids], vectors.detach()), 0, 1e-5);
            (vectors * upstream).sum().backward();
        }
        Tensor expected = zeros_like(at.A.Value).index_add(1, ids, at.B.Value.t().mm(upstream.t()) * 3, 1);
        Assert.InRange(Golden.LargestDifference(expected, at.A.Gradient), 0, 1e-6 * expected.abs().max().item<float>());
        Assert.Equal((at.A, 1.0), (at.B.WaitsFor, at.B.LearningRateFactor));
    }

    [Theory]
    [InlineData(LoraInitialization.KaimingUniform), InlineData(LoraInitialization.Gaussian), InlineData(LoraInitialization.Pissa)]
    public void Comes_back_from_its_folder_and_merges(LoraInitialization initialization)
    {
        using Tried adapted = new(new LoraMethod { Rank = 2, Initialization = initialization, LearningRateRatio = 4 }, "mistral", roles: Sites.Embedding | Sites.Query);
        adapted.Move();
        Tensor expected = adapted.Logits();
        adapted.Placement.Save(folder.Path);
        using Backbone fresh = BackboneLoader.Load(Golden.Backbone("mistral"), Devices.Cpu, Precision.Float32);
        using Arena arena = PeftFolder.Place(fresh, folder.Path).BuildArena();
        using (no_grad())
        using (arena.Bind())
            Assert.InRange(Golden.LargestDifference(expected, Tried.Logits(fresh)), 0, 1e-5);
        adapted.Placement.MergeInto(folder.File("merged"));
        using Backbone merged = BackboneLoader.Load(folder.File("merged"), Devices.Cpu, Precision.Float32);
        using (no_grad())
            Assert.InRange(Golden.LargestDifference(Tried.Logits(merged), expected), 0, 1e-5);
    }

    [Fact]
    public void A_table_that_is_the_heads_too_is_not_merged()
    {
        using Tried adapted = new(new LoraMethod { Rank = 2 }, "opt", roles: Sites.Embedding);
        RecipeException error = Assert.Throws<RecipeException>(() => adapted.Placement.MergeInto(folder.File("merged")));
        Assert.Equal("FPO4013", error.Id);
        Assert.False(Directory.Exists(folder.File("merged")));
    }

    [Theory]
    [InlineData(Sites.Embedding, "model.embed_tokens"), InlineData(Sites.Head, "lm_head")]
    public void A_copy_of_the_table_in_the_file_is_the_checkpoints_or_refused(Sites roles, string module)
    {
        using Tried adapted = new(new LoraMethod { Rank = 2 }, "mistral", roles: roles);
        adapted.Placement.Save(folder.Path);
        string path = folder.File("adapter_model.safetensors"), copy = $"base_model.model.{module}.base_layer.weight";
        Dictionary<string, Tensor> tensors;
        using (SafetensorsFile file = SafetensorsFile.Open(path))
            tensors = file.Entries.Keys.ToDictionary(name => name, name => file.Read(name));
        Tensor own = tensors[copy];
        tensors.Remove(copy);
        SafetensorsWriter.Write(path, tensors);
        adapted.Placement.Load(folder.Path);
        tensors[copy] = own + 1;
        SafetensorsWriter.Write(path, tensors);
        RecipeException error = Assert.Throws<RecipeException>(() => adapted.Placement.Load(folder.Path));
        Assert.Equal("FPO4010", error.Id);
        Assert.Contains($"'{copy}' holds other numbers than the checkpoint", error.Message);
    }

    [Fact]
    public void What_has_no_meaning_at_a_table_is_refused()
    {
        using Tried plain = new(null, "mistral");
        foreach (LoraMethod method in (LoraMethod[])[new() { UseDora = true }, new() { LoraBias = true }])
        {
            RecipeException error = Assert.Throws<RecipeException>(() => plain.Placement.PlaceAtEmbedding(method, "model.embed_tokens"));
            Assert.Equal("FPO1016", error.Id);
            Assert.Contains("True excludes model.embed_tokens", error.Message);
        }
        Assert.Empty(plain.Placement.Placed);
    }

    public void Dispose() => folder.Dispose();
}
