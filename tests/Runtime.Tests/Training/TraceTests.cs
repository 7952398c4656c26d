using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Trainables;
using FlatPO.Recipes.Training;
using Xunit.Abstractions;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Training;

/// <summary>Twenty steps beside the authors' optimizers: the same tensors perturbed, the same losses, the same adapters at the end.</summary>
public sealed class TraceTests(ITestOutputHelper output)
{
    public static TheoryData<string> Cases => Golden.Cases("traces");

    [SkippableTheory, MemberData(nameof(Cases)), Trait("Category", Golden.Category)]
    public void Perturbs_the_same_tensors_and_ends_at_the_same_adapters(string name) => Compare(name, Devices.Cpu, captured: false);

    [SkippableTheory, MemberData(nameof(Cases)), Trait("Category", Golden.Category)]
    public void Does_so_on_a_gpu(string name)
    {
        Skip.IfNot(TorchLibraries.TryUseCuda(out string? reason), reason);
        Compare(name, Devices.Cuda(), captured: false);
    }

    [SkippableTheory, MemberData(nameof(Cases)), Trait("Category", Golden.Category)]
    public void Does_so_with_captured_steps_on_a_gpu(string name)
    {
        Skip.IfNot(TorchLibraries.TryUseCuda(out string? reason), reason);
        Compare(name, Devices.Cuda(), captured: true);
    }

    private void Compare(string name, Device device, bool captured)
    {
        Skip.If(name == Golden.None, $"{Golden.Folder} has no traces: make_golden.py writes them only where the authors' optimizers are");
        Trace trace = Trace.Read(Golden.Trace(name));
        using CausalLM backbone = (CausalLM)BackboneLoader.Load(Golden.Backbone(trace.Base), device, Precision.Float32);
        AdapterPlacement placement = PeftFolder.Place(backbone, Path.Combine(Golden.Trace(name), "initial"));
        Assert.Equal(trace.Trainable, placement.Tensors.Select(tensor => tensor.Name));

        using Arena arena = placement.BuildArena();
        using TraceStep step = new(trace, arena, backbone) { Watches = !captured };
        using CapturedSteps<TokenBatch>? graphs = captured ? new(step.Run, device, new RowLengths(Batch(name, 0, device).Length)) : null;
        double worstLoss = 0;
        for (int i = 0; i < trace.FirstLoss.Length; i++)
        {
            TokenBatch batch = Batch(name, i, device);
            StepReport report = graphs is null ? step.Run(new Window<TokenBatch>([batch], new RunSeed(0, i))) : graphs.Run(graphs.Window([batch], new RunSeed(0, i)));
            worstLoss = Math.Max(worstLoss, Math.Abs(report.Clean.ToSingleValue() - trace.FirstLoss[i]));
            if (report.Perturbed is not null)
                worstLoss = Math.Max(worstLoss, Math.Abs(report.Perturbed.ToSingleValue() - trace.SecondLoss[i]));
            string[] moved = trace.Perturbed.ElementAtOrDefault(i) ?? [];
            if (captured)
                Assert.Subset(report.Sharp?.Names().ToHashSet() ?? [], moved.ToHashSet());
            else
                Assert.Equal(moved, step.Moved);
        }
        if (graphs is not null)
            Assert.Equal((trace.FirstLoss.Length - 1, null), (graphs.Execution.CapturedSteps, graphs.Execution.WhyEager)); // the first window runs eagerly
        double worstAdapter = FarthestFrom(Path.Combine(Golden.Trace(name), "final"), placement);
        output.WriteLine($"{name}: largest difference of a loss {worstLoss:e1}, of an adapter's number {worstAdapter:e1}");
        Assert.InRange(worstLoss, 0, trace.IsSgd ? 1e-5 : 1e-3);
        Assert.InRange(worstAdapter, 0, trace.IsSgd ? 1e-6 : 5e-3);
    }

    private static TokenBatch Batch(string name, int index, Device device)
    {
        using SafetensorsFile file = Golden.Case(Golden.Trace(name));
        Tensor ids = file.Read("batches")[index].to(device); // [rows, T], every position supervised
        return new TokenBatch(ids, ones_like(ids), ids, ids.size(0) * (ids.size(1) - 1)) { Padding = Padding.Right };
    }

    private static double FarthestFrom(string folder, AdapterPlacement placement)
    {
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(folder, "adapter_model.safetensors"));
        return placement.Tensors.Max(tensor => Golden.LargestDifference(tensor.Value.cpu(), file.Read($"base_model.model.{tensor.Name}")));
    }
}
