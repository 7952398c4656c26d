using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.Bottleneck;
using FlatPO.Recipes.Adapters.Ia3;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Adapters.Vera;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Trainables;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Adapters;

/// <summary>What every adapter method must do, whatever its formula: begin as the base model, come back from its files, and merge.</summary>
public sealed class VariantTests
{
    /// <summary>The methods by name; each on a backbone whose layers have biases (opt) or none (llama).</summary>
    public static TheoryData<string, string> Methods
    {
        get
        {
            TheoryData<string, string> methods = Mergeable;
            foreach ((string method, string backbone) in ((string, string)[])[("bottleneck", "opt"), ("bottleneck", "llama"), ("bottleneck_gelu", "opt"), ("bottleneck_silu", "llama")])
                methods.Add(method, backbone);
            return methods;
        }
    }

    /// <summary>Those that can be added into the weights.</summary>
    public static TheoryData<string, string> Mergeable => new()
    {
        { "lora", "llama" }, { "rslora", "opt" }, { "gaussian", "opt" }, { "lora_bias", "opt" }, { "dora", "opt" }, { "dora", "llama" }, { "dora_rslora", "opt" },
        { "base_bias", "opt" }, { "base_bias", "qwen2" }, { "base_bias", "llama" }, { "both_biases", "opt" }, { "base_bias_dora", "opt" },
        { "ia3", "opt" }, { "ia3", "llama" }, { "ia3_all", "opt" }, { "vera", "opt" }, { "vera", "llama" },
    };

    /// <summary>Methods that begin as a part of the weight, so that their file is another than what they train.</summary>
    public static TheoryData<string, string> PartsOfTheWeight => new() { { "pissa", "llama" }, { "pissa", "opt" }, { "pissa_dora", "opt" }, { "olora", "qwen3" } };

    [Theory, MemberData(nameof(Methods))]
    public void A_fresh_adapter_leaves_the_logits_exactly_the_bases(string method, string backbone)
    {
        using Tried plain = new(null, backbone), adapted = new(Of(method), backbone);
        Assert.Equal(plain.Logits().Bits(), adapted.Logits().Bits());
    }

    [Theory, MemberData(nameof(Methods))]
    public void A_fresh_adapter_does_so_in_bfloat16(string method, string backbone)
    {
        using Tried plain = new(null, backbone, Precision.BFloat16), adapted = new(Of(method), backbone, Precision.BFloat16);
        Assert.Equal(plain.Logits().Bits(), adapted.Logits().Bits());
        Assert.All(adapted.Placement.Tensors, tensor => Assert.Equal(ScalarType.Float32, tensor.Value.dtype));
    }

    [Theory, MemberData(nameof(Methods))]
    public void A_moved_adapter_comes_back_from_its_folder_placed_by_what_the_folder_says(string method, string backbone)
    {
        using TemporaryFolder folder = new();
        using Tried adapted = new(Of(method), backbone);
        adapted.Move();
        adapted.Placement.Save(folder.Path);
        using Backbone fresh = BackboneLoader.Load(Golden.Backbone(backbone), Devices.Cpu, Precision.Float32);
        AdapterPlacement placement = PeftFolder.Place(fresh, folder.Path);
        Assert.Equal(adapted.Placement.Tensors.Select(tensor => tensor.Name), placement.Tensors.Select(tensor => tensor.Name));
        using Arena arena = placement.BuildArena();
        Assert.Equal(adapted.Arena.Values.Bits(), arena.Values.Bits());
        using (no_grad())
        using (arena.Bind())
            Assert.Equal(adapted.Logits().Bits(), Tried.Logits(fresh).Bits());
    }

    [Theory, MemberData(nameof(Mergeable)), MemberData(nameof(PartsOfTheWeight))]
    public void A_merged_checkpoint_answers_as_the_moved_adapter(string method, string backbone)
    {
        using TemporaryFolder folder = new();
        using Tried adapted = new(Of(method), backbone), plain = new(null, backbone);
        adapted.Move();
        adapted.Placement.MergeInto(folder.Path);
        using Backbone merged = BackboneLoader.Load(folder.Path, Devices.Cpu, Precision.Float32);
        using (no_grad())
            Assert.InRange(Golden.LargestDifference(Tried.Logits(merged), adapted.Logits()), 0, 1e-4);
        Assert.NotInRange(Golden.LargestDifference(plain.Logits(), adapted.Logits()), 0, 1e-3); // it was moved far enough to tell
    }

    [Theory, MemberData(nameof(Methods)), MemberData(nameof(PartsOfTheWeight))]
    public void Every_tensor_gets_a_gradient_with_dropout_too(string method, string backbone)
    {
        using Tried adapted = new(Of(method, dropout: 0.2), backbone);
        adapted.Move();
        adapted.Placement.Training = true;
        using (adapted.Arena.Bind())
        using (Tensor loss = Tried.Logits(adapted.Backbone).square().mean())
            loss.backward();
        Assert.All(adapted.Placement.Tensors, tensor => Assert.True(tensor.Gradient.abs().max().item<float>() > 0, tensor.Name));
    }

    [Theory, MemberData(nameof(Methods)), MemberData(nameof(PartsOfTheWeight))]
    public void A_second_pass_leaves_no_tensor_behind(string method, string backbone)
    {
        using Tried adapted = new(Of(method, dropout: 0.2), backbone);
        adapted.Placement.Training = true;
        Pass();
        long before = Live();
        Pass();
        Assert.Equal(before, Live());

        void Pass()
        {
            using var scope = NewDisposeScope();
            using (adapted.Arena.Bind())
                Tried.Logits(adapted.Backbone).square().mean().backward();
        }

        static long Live() => DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
    }

    [Fact]
    public void With_dropout_the_magnitude_scales_the_dropped_input_as_in_peft()
    {
        using Tried adapted = new(new LoraMethod { Rank = 2, UseDora = true, Dropout = 0.5 }, "opt");
        adapted.Placement.Training = true;
        using var noGrad = no_grad();
        (Projection site, AdapterLayer layer) = adapted.Placement.AtLinearLayers[0];
        using (adapted.Arena.Bind())
        {
            using Tensor x = ones(1, site.In);
            // m / ‖W + ΔW‖ is 1, so that the dropped W x has no weight: dropout changes nothing at the start
            Assert.Equal(site.Base(x).Bits(), layer.Forward(x, site).Bits());
            ((DoraPair)layer).Magnitude.Value.mul_(2);
            manual_seed(3);
            Tensor dropped = nn.functional.dropout(x, 0.5);
            manual_seed(3);
            Tensor expected = site.Base(x) + dropped.mm(site.Weight.Frozen.t()); // (2 − 1) · W dropout(x) beside the undropped W x + b
            Assert.InRange(Golden.LargestDifference(layer.Forward(x, site), expected), 0, 1e-5);
        }
    }

    [Fact]
    public void The_norm_of_DoRA_counts_as_a_constant_in_backward()
    {
        using Tried adapted = new(new LoraMethod { Rank = 2, Alpha = 2, UseDora = true }, "llama");
        adapted.Move();
        (Projection site, AdapterLayer layer) = adapted.Placement.AtLinearLayers[0];
        DoraPair pair = (DoraPair)layer;
        Tensor x = randn(3, site.In), weight = site.Weight.Frozen, sum = pair.B.Value.mm(pair.A.Value) + weight;
        Tensor scale = (pair.Magnitude.Value / sum.square().sum(1).sqrt()).detach();
        using (adapted.Arena.Bind())
            pair.Forward(x, site).sum().backward();
        // d/dB Σ scale · (W + B A) x, with scale held fixed: [out, rank]
        Tensor expected = scale.unsqueeze(1).mm(x.mm(pair.A.Value.t()).sum(0, keepdim: true));
        Assert.InRange(Golden.LargestDifference(pair.B.Gradient, expected), 0, 1e-4);
    }

    [Fact]
    public void A_ratio_of_learning_rates_is_that_of_B_and_of_what_is_one_dimensional()
    {
        using Tried adapted = new(new LoraMethod { Rank = 2, UseDora = true, LearningRateRatio = 8 }, "opt");
        Assert.All(adapted.Placement.Tensors, tensor => Assert.Equal(tensor.Name.EndsWith("lora_A.weight", StringComparison.Ordinal) ? 1 : 8, tensor.LearningRateFactor));
        RecipeException error = Assert.Throws<RecipeException>(() => new Tried(new LoraMethod { Rank = 2, LearningRateRatio = 0.5 }, "opt"));
        Assert.Equal("FPO1030", error.Id);
        Assert.Contains("LearningRateRatio = 0.5 is out of bounds; allowed is at least 1", error.Message);
    }

    [Fact]
    public void Settings_that_exclude_each_other_have_the_compilers_id()
    {
        using Backbone backbone = BackboneLoader.Load(Golden.Backbone("opt"), Devices.Cpu, Precision.Float32);
        RecipeException error = Assert.Throws<RecipeException>(() => new AdapterPlacement(backbone, 0).Place(new LoraMethod { Rank = 2, UseDora = true, LoraBias = true }, backbone.Weights.Projections[0].Module));
        Assert.Equal("FPO1016", error.Id);
        Assert.Contains("LoraBias = True excludes UseDora = True", error.Message);
        error = Assert.Throws<RecipeException>(() => new AdapterPlacement(backbone, 0).Place(new LoraMethod { Rank = 2, LoraBias = true, Initialization = LoraInitialization.Gaussian }, backbone.Weights.Projections[0].Module));
        Assert.Contains("Initialization = Gaussian", error.Message);
    }

    [Fact]
    public void Biases_of_adapted_layers_begin_as_the_checkpoints_and_are_named_as_pefts_wrapped_layers()
    {
        using TemporaryFolder folder = new();
        using Tried adapted = new(new LoraMethod { Rank = 2, Bias = LoraBiasTraining.LoraOnly }, "qwen2");
        foreach ((Projection site, AdapterLayer layer) in adapted.Placement.AtLinearLayers)
        {
            TrainableTensor? bias = ((LoraPair)layer).BaseBias;
            Assert.Equal(site.Bias is null, bias is null);
            if (bias is not null)
                Assert.Equal(($"{site.Module}.base_layer.bias", string.Join(' ', site.Bias!.Frozen.Bits())), (bias.Name, string.Join(' ', bias.Value.Bits())));
        }
        adapted.Move();
        adapted.Placement.Save(folder.Path);
        Assert.Equal("lora_only", AdapterConfig.Read(folder.Path).Text("bias"));
        using SafetensorsFile file = SafetensorsFile.Open(folder.File("adapter_model.safetensors"));
        Assert.Equal(adapted.Placement.AtLinearLayers.Count(pair => pair.Site.Bias is not null), file.Entries.Keys.Count(name => name.EndsWith(".base_layer.bias", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_trained_bias_takes_the_place_of_the_layers_own()
    {
        using Tried adapted = new(new LoraMethod { Rank = 2, Bias = LoraBiasTraining.LoraOnly }, "opt");
        (Projection site, AdapterLayer layer) = adapted.Placement.AtLinearLayers[0];
        adapted.Move();
        LoraPair pair = (LoraPair)layer;
        Tensor x = randn(3, site.In), upstream = randn(3, site.Out);
        using (adapted.Arena.Bind())
        {
            Tensor y = pair.Forward(x, site);
            Tensor expected = x.mm(site.Weight.Frozen.t()) + x.mm(pair.A.Value.t()).mm(pair.B.Value.t()) * pair.Scaling + pair.BaseBias!.Value;
            Assert.InRange(Golden.LargestDifference(y.detach(), expected), 0, 1e-5);
            (y * upstream).sum().backward();
        }
        Assert.InRange(Golden.LargestDifference(pair.BaseBias.Gradient, upstream.sum(0, keepdim: false)), 0, 1e-5);
    }

    [Fact]
    public void A_bias_of_B_cannot_be_merged_into_a_layer_without_one()
    {
        using TemporaryFolder folder = new();
        using Tried adapted = new(new LoraMethod { Rank = 2, LoraBias = true }, "llama");
        RecipeException error = Assert.Throws<RecipeException>(() => adapted.Placement.MergeInto(folder.Path));
        Assert.Equal("FPO1017", error.Id);
        Assert.Contains(adapted.Placement.Placed[0].Site.Module, error.Message);
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void IA3_in_some_layers_is_written_as_paths_since_peft_has_no_layers_for_it()
    {
        using TemporaryFolder folder = new();
        using Tried adapted = new(new Ia3Method(), "llama", layer: ".layers.1.");
        adapted.Placement.Save(folder.Path);
        AdapterConfig config = AdapterConfig.Read(folder.Path);
        Assert.False(config.IsUsed("layers_to_transform"));
        Assert.Contains("model.layers.1.mlp.down_proj", config.Texts("target_modules"));
        Assert.Subset(config.Texts("target_modules").ToHashSet(), config.Texts("feedforward_modules").ToHashSet());
        using Backbone fresh = BackboneLoader.Load(Golden.Backbone("llama"), Devices.Cpu, Precision.Float32);
        Assert.Equal(adapted.Placement.Tensors.Select(tensor => tensor.Name), PeftFolder.Place(fresh, folder.Path).Tensors.Select(tensor => tensor.Name));
    }

    internal static AdapterMethod Of(string name, double dropout = 0) => name switch
    {
        "lora" => new LoraMethod { Rank = 4, Dropout = dropout },
        "rslora" => new LoraMethod { Rank = 4, UseRslora = true, Dropout = dropout },
        "gaussian" => new LoraMethod { Rank = 4, Initialization = LoraInitialization.Gaussian, Dropout = dropout },
        "pissa" => new LoraMethod { Rank = 4, Alpha = 6, Initialization = LoraInitialization.Pissa, Dropout = dropout },
        "pissa_dora" => new LoraMethod { Rank = 4, UseDora = true, Initialization = LoraInitialization.Pissa, Dropout = dropout },
        "olora" => new LoraMethod { Rank = 4, UseRslora = true, Initialization = LoraInitialization.Olora, Dropout = dropout },
        "base_bias" => new LoraMethod { Rank = 4, Bias = LoraBiasTraining.LoraOnly, Dropout = dropout },
        "both_biases" => new LoraMethod { Rank = 4, Bias = LoraBiasTraining.LoraOnly, LoraBias = true, Dropout = dropout },
        "base_bias_dora" => new LoraMethod { Rank = 4, Bias = LoraBiasTraining.LoraOnly, UseDora = true, Dropout = dropout },
        "lora_bias" => new LoraMethod { Rank = 4, LoraBias = true, Dropout = dropout },
        "dora" => new LoraMethod { Rank = 4, UseDora = true, Dropout = dropout },
        "dora_rslora" => new LoraMethod { Rank = 4, UseDora = true, UseRslora = true, Dropout = dropout },
        "ia3" => new Ia3Method(),
        "bottleneck" => new BottleneckMethod { Size = 6 },
        "bottleneck_gelu" => new BottleneckMethod { Size = 6, Activation = BottleneckActivation.Gelu, Scale = 4 },
        "bottleneck_silu" => new BottleneckMethod { Size = 6, Activation = BottleneckActivation.Silu, Scale = 0.5 },
        "vera" => new VeraMethod { Rank = 12, Dropout = dropout },
        _ => new Ia3Method { FeedForward = Sites.FeedForward },
    };
}
