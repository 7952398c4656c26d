using System.Text.Json.Nodes;
using FlatPO.Recipes;
using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Optimization;
using FlatPO.Recipes.Trainables;
using Specimens.OwnParts;
using TorchSharp;
using static TorchSharp.torch;

[assembly: DeclaresBackbone(typeof(EchoLM))]

namespace Specimens.OwnParts;

/// <summary>An adapter method, a schedule and a backbone defined outside the library: the generator needs to know none of them.</summary>
[Recipe(TaskType.CausalLM)]
[Backbone("Specimens/echo")]
[Scale(Start = 0.5, Sites = Sites.Up)]
[FlatPO(Fraction = 0.5)]
[AdamW]
[StepSchedule(Steps = 3, Gamma = 0.1)]
public partial class OwnParts;

/// <summary>y = s · W x with one trained number s per output.</summary>
[RealizedBy(typeof(ScaleMethod))]
[AdapterTensor("scale", "out")]
public sealed class ScaleAttribute : AdapterAttribute
{
    /// <summary>s at the start.</summary>
    [Bounds("OWN0001", Above = 0), Default(1.0)]
    public double Start { get; set; } = 1;
}

/// <summary>Realizes <see cref="ScaleAttribute"/>.</summary>
public sealed class ScaleMethod : AdapterMethod<ScaleLayer>
{
    /// <inheritdoc cref="ScaleAttribute.Start"/>
    public double Start { get; init; } = 1;

    /// <inheritdoc/>
    public override string PeftType => "SCALE";

    /// <inheritdoc/>
    public override void WriteConfig(JsonObject config, IReadOnlyList<Site> sites) => config["start"] = Start;

    /// <inheritdoc/>
    public override void CheckConfig(AdapterConfig config, IReadOnlyList<Site> sites)
    {
        if (config.Number("start", 1) != Start)
            throw config.Invalid("start", $"{Start}, the start of this adapter");
    }

    /// <inheritdoc/>
    public override ScaleLayer Place(Projection site, torch.Generator random) =>
        new(new TrainableTensor($"{site.Module}.scale", site.Role, TrainableKind.Adapter, full([site.Out], Start, ScalarType.Float32)));
}

/// <summary>The scale of one layer.</summary>
public sealed class ScaleLayer(TrainableTensor scale) : AdapterLayer
{
    /// <summary>s, [out].</summary>
    public TrainableTensor Scale { get; } = scale;

    /// <inheritdoc/>
    public override IReadOnlyList<TrainableTensor> Tensors => [Scale];

    /// <inheritdoc/>
    public override torch.Tensor Forward(torch.Tensor x, Projection site) => site.Base(x).mul(Scale.Live);

    /// <inheritdoc/>
    public override torch.Tensor MergedWeight(Projection site) => site.Weight.Frozen.mul(Scale.Value.unsqueeze(1));
}

/// <summary>Multiplies the learning rate by γ a fixed number of times over a run.</summary>
[RealizedBy(typeof(StepSchedule))]
public sealed class StepScheduleAttribute : ScheduleAttribute
{
    /// <summary>How many times.</summary>
    [Bounds("OWN0002", Minimum = 1), Default(1)]
    public int Steps { get; set; } = 1;

    /// <summary>γ.</summary>
    [Bounds("OWN0003", Above = 0, Maximum = "1"), PerRun, Default(0.5)]
    public double Gamma { get; set; } = 0.5;
}

/// <summary>Realizes <see cref="StepScheduleAttribute"/>.</summary>
public sealed class StepSchedule : LearningRateSchedule
{
    /// <inheritdoc cref="StepScheduleAttribute.Steps"/>
    public int Steps { get; init; } = 1;

    /// <inheritdoc cref="StepScheduleAttribute.Gamma"/>
    public double Gamma { get; init; } = 0.5;

    /// <inheritdoc/>
    protected override double AfterWarmup(double progress) => Math.Pow(Gamma, Math.Floor(progress * (Steps + 1)));
}

/// <summary>A network of one linear layer a block, of the user's own model type.</summary>
[BackboneFamily("echo", TaskType.CausalLM, Shape = ["depth", "width"])]
[Tower(Layers = "depth")]
[Site("blocks.{layer}.proj", Sites.Up, In = "width", Out = "width")]
public sealed class EchoLM : CausalLM
{
    private readonly Projection[] blocks;

    /// <summary>Declares the blocks.</summary>
    public EchoLM(WeightTable weights)
        : base(weights)
    {
        long width = Config.Int("width");
        blocks = [.. Enumerable.Range(0, (int)Config.Int("depth")).Select(layer => weights.Linear($"blocks.{layer}.proj", Sites.Up, width, width, bias: false))];
    }

    /// <inheritdoc/>
    public override torch.Tensor Logits(TokenBatch batch) =>
        blocks.Aggregate(nn.functional.one_hot(batch.InputIds, Config.Int("width")).to_type(ScalarType.Float32), (x, block) => block.Forward(x));
}
