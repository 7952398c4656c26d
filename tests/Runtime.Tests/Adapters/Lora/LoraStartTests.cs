using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Adapters.Lora;

/// <summary>PiSSA and OLoRA: factors of the weight itself, and files that are plain LoRA on the base as it was.</summary>
public sealed class LoraStartTests
{
    private readonly LoraMethod pissa = new() { Rank = 4, Alpha = 6, Initialization = LoraInitialization.Pissa };

    [Fact]
    public void PiSSA_begins_as_the_best_part_of_that_rank_of_each_weight()
    {
        using Tried adapted = new(pissa, "llama");
        foreach ((Projection site, AdapterLayer layer) in adapted.Placement.AtLinearLayers)
        {
            LoraPair pair = (LoraPair)layer;
            Tensor product = pair.B.Value.mm(pair.A.Value) * pair.Scaling, values = linalg.svdvals(site.Weight.Frozen);
            // Eckart and Young: no matrix of the rank is nearer; what is left is as long as the other singular values
            Assert.Equal(values[4..].square().sum().sqrt().ToSingleValue(), (site.Weight.Frozen - product).norm().ToSingleValue(), 1e-4);
            Assert.InRange(Golden.LargestDifference(linalg.svdvals(product)[..4], values[..4]), 0, 1e-4);
            // both factors carry the root of each singular value: AAᵀ = BᵀB = S / s
            Tensor expected = diag(values[..4] / pair.Scaling);
            Assert.InRange(Golden.LargestDifference(pair.A.Value.mm(pair.A.Value.t()), expected), 0, 1e-4);
            Assert.InRange(Golden.LargestDifference(pair.B.Value.t().mm(pair.B.Value), expected), 0, 1e-4);
        }
    }

    [Fact]
    public void OLoRA_begins_with_orthonormal_columns_of_B_and_what_they_leave_of_the_weight_in_A()
    {
        using Tried adapted = new(new LoraMethod { Rank = 4, Alpha = 6, Initialization = LoraInitialization.Olora }, "llama");
        foreach ((Projection site, AdapterLayer layer) in adapted.Placement.AtLinearLayers)
        {
            LoraPair pair = (LoraPair)layer;
            Assert.InRange(Golden.LargestDifference(pair.B.Value.t().mm(pair.B.Value), eye(4)), 0, 1e-5);
            Assert.InRange(Golden.LargestDifference(pair.B.Value.t().mm(site.Weight.Frozen), pair.A.Value), 0, 1e-4); // QᵀW = R
            Assert.InRange(pair.A.Value[TensorIndex.Colon, ..4].tril(-1).abs().max().ToSingleValue(), 0, 1e-6); // R is triangular
        }
    }

    [Theory]
    [MemberData(nameof(VariantTests.PartsOfTheWeight), MemberType = typeof(VariantTests))]
    public void A_fresh_pair_leaves_the_logits_exactly_the_bases(string method, string backbone)
    {
        foreach (Precision precision in (Precision[])[Precision.Float32, Precision.BFloat16])
        {
            using Tried plain = new(null, backbone, precision), adapted = new(VariantTests.Of(method), backbone, precision);
            Assert.Equal(plain.Logits().Bits(), adapted.Logits().Bits());
        }
    }

    [Fact]
    public void The_weight_stays_as_it_was_whatever_is_trained()
    {
        using Tried plain = new(null, "llama"), adapted = new(pissa, "llama");
        adapted.Move();
        _ = adapted.Logits();
        foreach ((Weight mine, Weight theirs) in adapted.Backbone.Weights.All.Zip(plain.Backbone.Weights.All))
            Assert.Equal(theirs.Frozen.reshape(-1).Bits(), mine.Frozen.reshape(-1).Bits());
    }

    [Fact]
    public void Trained_it_computes_what_the_remainder_and_the_pair_give_with_dropout_on_the_pair_alone()
    {
        using Tried adapted = new(new LoraMethod { Rank = 4, Alpha = 6, Dropout = 0.5, Initialization = LoraInitialization.Pissa }, "opt");
        (Projection site, AdapterLayer layer) = adapted.Placement.AtLinearLayers[0];
        LoraPair pair = (LoraPair)layer;
        Tensor remainder = site.Weight.Frozen - pair.B.Value.mm(pair.A.Value) * pair.Scaling;
        adapted.Move();
        adapted.Placement.Training = true;
        using var noGrad = no_grad();
        using var bound = adapted.Arena.Bind();
        Tensor x = randn(3, site.In);
        manual_seed(3);
        Tensor dropped = nn.functional.dropout(x, 0.5);
        manual_seed(3);
        Tensor expected = x.mm(remainder.t()) + site.Bias!.Frozen + dropped.mm(pair.A.Value.t()).mm(pair.B.Value.t()) * pair.Scaling;
        Assert.InRange(Golden.LargestDifference(pair.Forward(x, site), expected), 0, 1e-5);
    }

    [Theory]
    [MemberData(nameof(VariantTests.PartsOfTheWeight), MemberType = typeof(VariantTests))]
    public void Its_file_is_a_plain_LoRA_of_twice_the_rank_on_the_base_as_it_was(string method, string backbone)
    {
        using TemporaryFolder folder = new();
        using Tried adapted = new(VariantTests.Of(method), backbone);
        adapted.Move();
        adapted.Placement.Save(folder.Path);
        AdapterConfig config = AdapterConfig.Read(folder.Path);
        Assert.Equal((8, true), (config.Number("r", 0), config.Flag("init_lora_weights")));
        using Backbone fresh = BackboneLoader.Load(Golden.Backbone(backbone), Devices.Cpu, Precision.Float32);
        AdapterPlacement plain = PeftFolder.Place(fresh, folder.Path);
        Assert.Equal(LoraInitialization.KaimingUniform, ((LoraMethod)plain.Method!).Initialization);
        Assert.All(plain.AtLinearLayers.Zip(adapted.Placement.AtLinearLayers), pair => Assert.Equal(((LoraPair)pair.Second.Layer).Scaling, ((LoraPair)pair.First.Layer).Scaling, 1e-12));
        using Arena arena = plain.BuildArena();
        using (no_grad())
        using (arena.Bind())
            Assert.InRange(Golden.LargestDifference(adapted.Logits(), Tried.Logits(fresh)), 0, 1e-4);
    }

    [Theory]
    [MemberData(nameof(VariantTests.PartsOfTheWeight), MemberType = typeof(VariantTests))]
    public void It_comes_back_from_its_file_bit_for_bit_wherever_another_pair_began(string method, string backbone)
    {
        using TemporaryFolder folder = new();
        using Tried adapted = new(VariantTests.Of(method), backbone), again = new(VariantTests.Of(method), backbone);
        adapted.Move();
        adapted.Placement.Save(folder.Path);
        Negated(folder.File("adapter_model.safetensors")); // as if begun, and trained alike, with the other signs: those of a decomposition are anyone's
        again.Placement.Load(folder.Path);
        Assert.Equal(adapted.Logits().Bits(), again.Logits().Bits());
        again.Placement.Save(folder.File("again"));
        using SafetensorsFile first = SafetensorsFile.Open(folder.File("adapter_model.safetensors")), second = SafetensorsFile.Open(Path.Combine(folder.File("again"), "adapter_model.safetensors"));
        Assert.All(first.Entries.Keys, name => Assert.Equal(first.Read(name).reshape(-1).Bits(), second.Read(name).reshape(-1).Bits()));
    }

    [Fact]
    public void A_file_of_the_trained_rank_is_refused_since_it_does_not_say_what_was_left_out_of_the_weight()
    {
        using TemporaryFolder folder = new();
        using Tried plain = new(new LoraMethod { Rank = 4, Alpha = 6 }, "llama"), adapted = new(pissa, "llama");
        plain.Placement.Save(folder.Path);
        RecipeException error = Assert.Throws<RecipeException>(() => adapted.Placement.Load(folder.Path));
        Assert.Equal("FPO4011", error.Id);
        Assert.Contains("r is 4; expected 8 at model.layers.0.self_attn.q_proj, the rank of this adapter as peft converts Pissa: twice the rank at the same scale", error.Message);
    }

    [Fact]
    public void Patterns_and_the_root_of_the_rank_keep_their_scales_in_the_file()
    {
        using TemporaryFolder folder = new();
        using Tried adapted = new(new LoraMethod { Rank = 4, Alpha = 6, UseRslora = true, RankPattern = ["up_proj=2"], AlphaPattern = ["q_proj=3"], Initialization = LoraInitialization.Pissa }, "llama");
        adapted.Move();
        adapted.Placement.Save(folder.Path);
        Assert.Equal([new("up_proj", 4)], AdapterConfig.Read(folder.Path).Numbers("rank_pattern"));
        using Backbone fresh = BackboneLoader.Load(Golden.Backbone("llama"), Devices.Cpu, Precision.Float32);
        AdapterPlacement plain = PeftFolder.Place(fresh, folder.Path);
        Assert.All(plain.AtLinearLayers.Zip(adapted.Placement.AtLinearLayers), pair => Assert.Equal(((LoraPair)pair.Second.Layer).Scaling, ((LoraPair)pair.First.Layer).Scaling, 1e-12));
        adapted.Placement.Load(folder.Path);
    }

    /// <summary>Turns the sign of both halves of A₀ and B₀ over, which leaves their product.</summary>
    private static void Negated(string path)
    {
        Dictionary<string, Tensor> tensors;
        using (SafetensorsFile file = SafetensorsFile.Open(path))
            tensors = file.Entries.Keys.ToDictionary(name => name, name => file.Read(name));
        foreach (Tensor factor in tensors.Values.Where(tensor => tensor.dim() == 2))
            factor.neg_();
        SafetensorsWriter.Write(path, tensors);
    }
}
