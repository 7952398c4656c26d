using FlatPO.Recipes;
using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Training;
using Specimens;
using Specimens.Methods;
using Xunit.Abstractions;
using static TorchSharp.torch;

namespace Recipes.Tests;

/// <summary>Every adapter method under FlatPO: it trains, it perturbs what the rule selects, and it is as large as the compiler said.</summary>
public sealed class MethodTests(ITestOutputHelper output)
{
    private const int StepsOfARun = 10;

    /// <summary>Two norms nearer than this, as a share of the larger, could change places by rounding.</summary>
    private const double Rounding = 1e-4;

    private static readonly Dictionary<string, MethodRow> Rows = new()
    {
        ["LoRA, OPT"] = Tokens("opt", (folder, device) => TinyOpt.Load(folder, device, new() { Epochs = StepsOfARun })),
        ["LoRA, CLIP"] = Pairs((folder, device) => TwoTowers.Load(folder, device)),
        ["LoRA, RoBERTa"] = Texts("roberta", (folder, device) => Verdicts.Load(folder, device)),
        ["LoRA, Qwen2.5-VL"] = Captions((folder, device) => Specimens.Captions.Load(folder, device, new() { BatchSize = 4 })),
        ["rsLoRA, Qwen3"] = Tokens("qwen3", (folder, device) => StableQwen.Load(folder, device)),
        ["DoRA, Llama"] = Tokens("llama", (folder, device) => DoraLlama.Load(folder, device, new() { Epochs = StepsOfARun })),
        ["PiSSA, Mistral"] = Tokens("mistral", (folder, device) => PissaMistral.Load(folder, device)),
        ["OLoRA, Llama 3"] = Tokens("llama3", (folder, device) => OloraLlama.Load(folder, device)),
        ["LoRA+, BERT"] = Texts("bert", (folder, device) => PlusBert.Load(folder, device)),
        ["LoRA+ and adapted layers' biases, Qwen2"] = Tokens("qwen2", (folder, device) => BiasedQwen.Load(folder, device, new() { Epochs = StepsOfARun, BatchSize = 4 })),
        ["LoRA and all biases, OPT"] = Tokens("opt", (folder, device) => BiasedOpt.Load(folder, device, new() { Epochs = StepsOfARun, BatchSize = 4 })),
        ["LoRA at tables, Mistral"] = Tokens("mistral", (folder, device) => EmbeddedMistral.Load(folder, device, new() { Epochs = StepsOfARun, BatchSize = 4 })),
        ["LoRA at a tied table, Llama 3"] = Tokens("llama3", (folder, device) => EmbeddedLlama.Load(folder, device)),
        ["VeRA, Llama"] = Tokens("llama", (folder, device) => VeraLlama.Load(folder, device, new() { Epochs = StepsOfARun })),
        ["IA3, Llama"] = Tokens("llama", (folder, device) => VectorLlama.Load(folder, device, new() { Epochs = StepsOfARun })),
        ["bottleneck behind both blocks, OPT"] = Tokens("opt", (folder, device) => NarrowOpt.Load(folder, device, new() { Epochs = StepsOfARun })),
        ["bottleneck behind one block, RoBERTa"] = Texts("roberta", (folder, device) => NarrowRoberta.Load(folder, device)),
        ["layer-norm tuning, Qwen2.5-VL"] = Captions((folder, device) => NormedCaptions.Load(folder, device)),
        ["BitFit, RoBERTa"] = Texts("roberta", (folder, device) => BiasedRoberta.Load(folder, device)),
        ["linear probe, ViT"] = Images((folder, device) => ProbedVit.Load(folder, device)),
        ["prompt and LoRA, Qwen2"] = Tokens("qwen2", (folder, device) => Prompted.Load(folder, device)),
        ["prompt and norms, OPT"] = Tokens("opt", (folder, device) => PromptedOpt.Load(folder, device)),
        ["prompt and head, BERT"] = Texts("bert", (folder, device) => PromptedBert.Load(folder, device)),
        ["P-tuning, Llama"] = Tokens("llama", (folder, device) => EncodedLlama.Load(folder, device)),
        ["prefix and IA3, Mistral"] = Tokens("mistral", (folder, device) => PrefixedMistral.Load(folder, device)),
        ["projected prefix, OPT"] = Tokens("opt", (folder, device) => ProjectedOpt.Load(folder, device)),
        ["projected prefix, Qwen2"] = Tokens("qwen2", (folder, device) => ProjectedQwen.Load(folder, device)),
        ["visual prompt and head, ViT"] = Images((folder, device) => ShallowVit.Load(folder, device)),
        ["deep visual prompt and norms, ViT"] = Images((folder, device) => DeepVit.Load(folder, device)),
        ["visual prompt and LoRA, CLIP"] = Pairs((folder, device) => ShallowClip.Load(folder, device)),
        ["deep visual prompt and BitFit, CLIP"] = Pairs((folder, device) => DeepClip.Load(folder, device)),
    };

    public static TheoryData<string> Methods => [.. Rows.Keys];

    [Theory]
    [MemberData(nameof(Methods))]
    public void Every_method_trains_as_by_hand_and_perturbs_what_the_rule_selects(string method)
    {
        using IDisposable recipe = Rows[method].Load();
        MethodRun run = Rows[method].Train(recipe);

        double lossApart = run.Steps.Zip(run.ByHand, (step, hand) => Math.Max(Math.Abs(step.Loss - hand.Loss), Math.Abs(step.PerturbedLoss!.Value - hand.PerturbedLoss))).Max();
        output.WriteLine(FormattableString.Invariant($"{method}: loss {run.Before:f4} to {run.After:f4}; by hand {lossApart:e1} apart; {run.Steps[0].Perturbed.Count} perturbed, the cut at least {run.ByHand.Min(hand => hand.Gap):e1} wide"));
        Assert.Equal(StepsOfARun, run.Steps.Count);
        Assert.True(run.After < run.Before, $"the loss went from {run.Before} to {run.After}");
        foreach ((StepRecord step, HandStep hand) in run.Steps.Zip(run.ByHand))
        {
            Assert.True(hand.Gap > Rounding, $"at step {step.Step} the norms on both sides of the cut are {hand.Gap} apart, so that either choice is right: take a specimen of other numbers");
            Assert.Equal(hand.Perturbed, step.Perturbed);
            Assert.Equal(hand.Loss, step.Loss, 1e-5);
            Assert.Equal(hand.PerturbedLoss, step.PerturbedLoss!.Value, 1e-5);
        }
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Its_plan_is_what_the_runtime_builds(string method)
    {
        using IDisposable recipe = Rows[method].Load();
        MethodRun run = Rows[method].Train(recipe);
        AdapterPlacement placement = Inside.Placement(recipe);
        long trained = placement.Tensors.Sum(tensor => tensor.Count), backbone = placement.Backbone.Weights.All.Sum(weight => weight.Shape.Aggregate(1L, (product, size) => product * size));

        Assert.Equal(placement.Tensors.Select(tensor => $"{tensor.Name} [{string.Join(", ", tensor.Shape)}]"), Inside.Planned<IReadOnlyList<PlannedTensor>>(recipe, "Tensors")!.Select(tensor => tensor.ToString()));
        Assert.Equal(placement.Tensors.Count, Inside.Planned<int>(recipe, "TrainableTensors"));
        Assert.Equal(trained, Inside.Planned<long>(recipe, "TrainableParameters"));
        Assert.All(run.Steps, step => Assert.Equal(Inside.Planned<int?>(recipe, "PerturbedTensors") ?? step.Perturbed.Count, step.Perturbed.Count));
        Assert.Equal(backbone + Beside(placement), Inside.Planned<long>(recipe, "TotalParameters"));
        Assert.Equal(backbone * sizeof(float), Inside.Planned<long>(recipe, "WeightBytes"));
        Assert.Equal(Inside.Buffers(Inside.Arena(recipe), trained), Inside.Planned<long>(recipe, "ArenaBytes"));
        Assert.Equal(Inside.Buffers(Inside.Optimizer(recipe), trained), Inside.Planned<long>(recipe, "OptimizerBytes"));
    }

    /// <summary>Trained numbers that are not the backbone's own: those that neither take a weight's place nor go by the name of the bias they move.</summary>
    private static long Beside(AdapterPlacement placement)
    {
        HashSet<object?> own = [.. placement.Backbone.Weights.All.Select(weight => weight.Trainable)];
        return placement.Tensors.Where(tensor => !own.Contains(tensor) && !tensor.Name.EndsWith("base_layer.bias", StringComparison.Ordinal)).Sum(tensor => tensor.Count);
    }

    private static MethodRow<TokenExample, TokenBatch> Tokens(string backbone, Func<string, Device, IRecipe<TokenExample>> open) => new(backbone, open, () => Golden.Tokens(4));

    private static MethodRow<SequenceExample, SequenceBatch> Texts(string backbone, Func<string, Device, IRecipe<SequenceExample>> open) => new(backbone, open, () => Examples.Texts(4));

    private static MethodRow<ImageExample, ImageBatch> Images(Func<string, Device, IRecipe<ImageExample>> open) => new("vit", open, () => Golden.Images(4));

    private static MethodRow<ImageTextExample, ImageTextBatch> Pairs(Func<string, Device, IRecipe<ImageTextExample>> open) => new("clip", open, () => Examples.Pairs(4));

    private static MethodRow<MultimodalExample, MultimodalBatch> Captions(Func<string, Device, IRecipe<MultimodalExample>> open) => new("qwen2_5_vl", open, () => Examples.Captions(4));
}
