using System.Globalization;
using System.Reflection;
using FlatPO.Recipes;
using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Tests;
using Specimens;
using Specimens.Methods;
using Xunit.Abstractions;
using static TorchSharp.torch;

namespace Recipes.Tests;

/// <summary>What the compiler worked out, against what the runtime builds and takes.</summary>
public sealed class PlanTests(ITestOutputHelper output)
{
    /// <summary>The share by which the estimate may be off a measured run; docs/diagnostics/FPO3009.md states it.</summary>
    private const double StatedError = 0.15;

    [Fact]
    public void Every_trained_tensor_is_planned_by_name_and_shape()
    {
        AssertPlanned(TinyOpt.Load(Golden.Backbone("opt"), Devices.Cpu), TinyOpt.Plan.Tensors);
        AssertPlanned(TinyLlama.Load(Golden.Backbone("llama"), Devices.Cpu), TinyLlama.Plan.Tensors);
        AssertPlanned(TinyVit.Load(Golden.Backbone("vit"), Devices.Cpu), TinyVit.Plan.Tensors);
        AssertPlanned(DoraLlama.Load(Golden.Backbone("llama"), Devices.Cpu), DoraLlama.Plan.Tensors);
        AssertPlanned(TwoTowers.Load(Golden.Backbone("clip"), Devices.Cpu), TwoTowers.Plan.Tensors);
        AssertPlanned(Verdicts.Load(Golden.Backbone("roberta"), Devices.Cpu), Verdicts.Plan.Tensors);
        AssertPlanned(Captions.Load(Golden.Backbone("qwen2_5_vl"), Devices.Cpu), Captions.Plan.Tensors);
        AssertPlanned(VectorLlama.Load(Golden.Backbone("llama"), Devices.Cpu), VectorLlama.Plan.Tensors);
        AssertPlanned(BiasedQwen.Load(Golden.Backbone("qwen2"), Devices.Cpu), BiasedQwen.Plan.Tensors);
        AssertPlanned(BiasedOpt.Load(Golden.Backbone("opt"), Devices.Cpu), BiasedOpt.Plan.Tensors);
        AssertPlanned(Patterned.Load(Golden.Backbone("qwen3"), Devices.Cpu), Patterned.Plan.Tensors);
        AssertPlanned(NarrowOpt.Load(Golden.Backbone("opt"), Devices.Cpu), NarrowOpt.Plan.Tensors);
        AssertPlanned(VeraLlama.Load(Golden.Backbone("llama"), Devices.Cpu), VeraLlama.Plan.Tensors);
        AssertPlanned(StableQwen.Load(Golden.Backbone("qwen3"), Devices.Cpu), StableQwen.Plan.Tensors);
        AssertPlanned(PlusBert.Load(Golden.Backbone("bert"), Devices.Cpu), PlusBert.Plan.Tensors);
        AssertPlanned(NarrowRoberta.Load(Golden.Backbone("roberta"), Devices.Cpu), NarrowRoberta.Plan.Tensors);
        AssertPlanned(NormedCaptions.Load(Golden.Backbone("qwen2_5_vl"), Devices.Cpu), NormedCaptions.Plan.Tensors);
        AssertPlanned(BiasedRoberta.Load(Golden.Backbone("roberta"), Devices.Cpu), BiasedRoberta.Plan.Tensors);
        AssertPlanned(ProbedVit.Load(Golden.Backbone("vit"), Devices.Cpu), ProbedVit.Plan.Tensors);
    }

    [Fact]
    public void Its_counts_are_the_sums_of_its_tensors()
    {
        Assert.Equal(TinyVit.Plan.TrainableTensors, TinyVit.Plan.Tensors.Count);
        Assert.Equal(TinyVit.Plan.TrainableParameters, TinyVit.Plan.Tensors.Sum(tensor => tensor.Count));
        Assert.Equal(TinyLlama.Plan.TrainableTensors, TinyLlama.Plan.Tensors.Count);
        Assert.Equal(BiasedOpt.Plan.TrainableTensors, BiasedOpt.Plan.Tensors.Count);
        Assert.Equal(BiasedOpt.Plan.TrainableParameters, BiasedOpt.Plan.Tensors.Sum(tensor => tensor.Count));
        Assert.Equal(Patterned.Plan.TrainableTensors, Patterned.Plan.Tensors.Count);
        Assert.Equal(Patterned.Plan.TrainableParameters, Patterned.Plan.Tensors.Sum(tensor => tensor.Count));
        Assert.Equal(TinyLlama.Plan.TrainableParameters, TinyLlama.Plan.Tensors.Sum(tensor => tensor.Count));
    }

    [Fact]
    public void All_parameters_are_those_of_the_backbone_and_of_the_adapters()
    {
        AssertTotal("opt", TinyOpt.Plan.TrainableParameters, TinyOpt.Plan.TotalParameters);
        AssertTotal("llama", TinyLlama.Plan.TrainableParameters, TinyLlama.Plan.TotalParameters);
        AssertTotal("clip", TwoTowers.Plan.TrainableParameters, TwoTowers.Plan.TotalParameters);
        AssertTotal("qwen2_5_vl", Captions.Plan.TrainableParameters, Captions.Plan.TotalParameters);
        AssertTotal("qwen2", BiasedQwen.Plan.Tensors.Where(tensor => !tensor.Name.EndsWith("bias", StringComparison.Ordinal)).Sum(tensor => tensor.Count), BiasedQwen.Plan.TotalParameters); // a trained bias is the backbone's
        long whole = TinyVit.Plan.Tensors.Where(tensor => tensor.Name.StartsWith("classifier.", StringComparison.Ordinal)).Sum(tensor => tensor.Count);
        AssertTotal("vit", TinyVit.Plan.TrainableParameters - whole, TinyVit.Plan.TotalParameters); // trained in place: counted with the backbone
    }

    public static TheoryData<string> Measured => [.. MeasuredRows.Keys];

    private static readonly Dictionary<string, Func<string, IRecipe<TokenExample>>> MeasuredRows = new()
    {
        ["LoRA"] = folder => MeasuredLlama.Load(folder, Devices.Cpu),
        ["LoRA at queries and values"] = folder => MeasuredAttention.Load(folder, Devices.Cpu),
        ["LoRA with dropout"] = folder => MeasuredDropout.Load(folder, Devices.Cpu),
        ["DoRA"] = folder => MeasuredDora.Load(folder, Devices.Cpu),
        ["VeRA"] = folder => MeasuredVera.Load(folder, Devices.Cpu),
        ["IA3"] = folder => MeasuredVectors.Load(folder, Devices.Cpu),
        ["bottleneck"] = folder => MeasuredBottleneck.Load(folder, Devices.Cpu),
        ["layer-norm tuning"] = folder => MeasuredNorms.Load(folder, Devices.Cpu),
        ["linear probe"] = folder => MeasuredProbe.Load(folder, Devices.Cpu),
        ["checkpointing"] = folder => MeasuredRecomputation.Load(folder, Devices.Cpu),
        ["prompt"] = folder => MeasuredPrompt.Load(folder, Devices.Cpu),
        ["prefix"] = folder => MeasuredPrefix.Load(folder, Devices.Cpu),
    };

    [SkippableTheory]
    [MemberData(nameof(Measured))]
    public void The_memory_is_near_that_of_a_measured_run(string method)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "the peak of the process is read from /proc, which this system has not");
        using TemporaryFolder folder = Checkpoint();
        using (TinyLlama warm = TinyLlama.Load(Golden.Backbone("llama"), Devices.Cpu))
            warm.Train(Golden.Tokens(8)); // what the process needs whatever the recipe

        ResidentMemory.KeepNothingBack();
        GC.Collect();
        long before = ResidentMemory.Now(), planned;
        ResidentMemory.ForgetPeak();
        using (IRecipe<TokenExample> recipe = MeasuredRows[method](folder.Path))
        {
            recipe.Train(Batch(recipe));
            planned = Inside.Planned<long>(recipe, nameof(MeasuredLlama.Plan.MemoryBytes));
        }
        AssertNear(planned, ResidentMemory.Peak() - before, method);
    }

    [SkippableFact]
    public void A_backbone_in_four_bits_takes_what_is_planned()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "what malloc has given out is asked of glibc, which this system has not");
        using TemporaryFolder folder = Checkpoint();
        Trained().Dispose(); // what the process needs whatever the recipe
        long before = HeldMemory.Settled();
        MeasuredQuantized[] recipes = [Trained(), Trained(), Trained(), Trained()]; // beside which what else the process frees and takes is little
        long measured = (HeldMemory.Settled() - before) / recipes.Length;
        foreach (MeasuredQuantized recipe in recipes)
            recipe.Dispose();
        AssertNear(MeasuredQuantized.Plan.WeightBytes + MeasuredQuantized.Plan.ArenaBytes + MeasuredQuantized.Plan.OptimizerBytes, measured, "in 4 bits");

        MeasuredQuantized Trained()
        {
            MeasuredQuantized recipe = MeasuredQuantized.Load(folder.Path, Devices.Cpu);
            recipe.Train(Batch(recipe)); // the first step makes some of the arena and of the optimizer
            return recipe;
        }
    }

    private static TokenExample[] Batch(object recipe)
    {
        TrainingAttribute run = recipe.GetType().GetCustomAttribute<TrainingAttribute>()!;
        return [.. Enumerable.Range(0, run.BatchSize).Select(row => new TokenExample([.. Enumerable.Range(0, run.MaxLength).Select(i => (31 * row + 7 * i) % 12000)]))];
    }

    private void AssertNear(long planned, long measured, string what)
    {
        double apart = (double)planned / measured - 1;
        string said = string.Create(CultureInfo.InvariantCulture, $"{what}: planned {planned >> 10} KiB, measured {measured >> 10} KiB: {apart:p1} apart");
        output.WriteLine(said);
        Assert.True(Math.Abs(apart) < StatedError, said);
    }

    private static void AssertPlanned<TExample>(IRecipe<TExample> recipe, IReadOnlyList<PlannedTensor> planned)
    {
        using TemporaryFolder folder = new();
        using (recipe)
        {
            var placement = (AdapterPlacement)recipe.GetType().GetField("placement", BindingFlags.NonPublic | BindingFlags.Instance)!.GetValue(recipe)!;
            Assert.Equal(placement.Tensors.Select(tensor => tensor.Name), planned.Select(tensor => tensor.Name)); // in parameter order
            recipe.SaveAdapter(folder.Path);
        }
        using SafetensorsFile saved = SafetensorsFile.Open(folder.File("adapter_model.safetensors"));
        Assert.Equal(
            saved.Entries.Values.Where(entry => !entry.Name.EndsWith(".base_layer.weight", StringComparison.Ordinal)) // peft's copy of a frozen table
                .Select(entry => $"{entry.Name} [{string.Join(", ", entry.Shape)}]").Order(StringComparer.Ordinal),
            planned.Select(tensor => $"base_model.model.{tensor}").Order(StringComparer.Ordinal));
    }

    private static void AssertTotal(string backbone, long adapters, long planned)
    {
        using Backbone built = BackboneLoader.Load(Golden.Backbone(backbone), CPU, Precision.Float32);
        Assert.Equal(built.Weights.All.Sum(weight => weight.Shape.Aggregate(1L, (product, size) => product * size)) + adapters, planned);
    }

    /// <summary>A random checkpoint of the specimen's sizes.</summary>
    private static TemporaryFolder Checkpoint()
    {
        TemporaryFolder folder = new();
        File.Copy(Path.Combine(Golden.Folder, "..", "Specimens", "measured", "config.json"), folder.File("config.json"));
        using var scope = NewDisposeScope();
        using WeightTable weights = new(ModelConfig.Open(folder.Path), CPU, ScalarType.Float32);
        _ = new FlatPO.Recipes.Backbones.Llama.LlamaForCausalLM(weights); // declares the names
        SafetensorsWriter.Write(folder.File("model.safetensors"), weights.All.ToDictionary(weight => weight.Name, weight => randn([.. weight.Shape]).mul(0.02)));
        return folder;
    }
}
