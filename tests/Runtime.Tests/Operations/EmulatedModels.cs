using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Tests.Native.Emulation;
using FlatPO.Recipes.Tests.Training.Captured;
using FlatPO.Recipes.Trainables;
using FlatPO.Recipes.Training;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Operations;

/// <summary>Whole backbones with the kernels that a GPU runs, emulated, beside the operators that these are composed of elsewhere.</summary>
[Trait("Category", Golden.Category)]
public sealed class EmulatedModels
{
    public static TheoryData<string, Precision> Cases
    {
        get
        {
            TheoryData<string, Precision> cases = [];
            foreach (string family in Families.All)
            {
                cases.Add(family, Precision.Float32);
                cases.Add(family, Precision.BFloat16);
            }
            return cases;
        }
    }

    [SkippableTheory, MemberData(nameof(Cases))]
    public void A_pass_gives_what_composed_operators_give(string family, Precision precision) =>
        Families.Visit(Golden.Backbone(family), Devices.Cpu, [5, 9, 3, 7], new BothWays(precision == Precision.Float32 ? 2e-5 : 0.06), precision);

    /// <summary>A pass each way; how far the gradients are apart, as a share of their length, is at most what is allowed.</summary>
    private sealed class BothWays(double allowed) : IOnFamily<double>
    {
        public double On<TExample, TBatch>(Backbone<TExample, TBatch> backbone, TExample[] examples)
            where TBatch : IBatch
        {
            using var scope = NewDisposeScope();
            AdapterPlacement placement = new(backbone, seed: 3);
            placement.PlaceAtAll(new LoraMethod { Rank = 8 }, Sites.AllLinear);
            using Arena arena = placement.BuildArena();
            using (no_grad())
                arena.Values.add_(randn([arena.Count], generator: new Generator(11, CPU)).mul(0.05));
            TBatch[] batches = [.. examples.Chunk(2).Select(some => backbone.Collate(some, 0))];

            (Tensor loss, Tensor gradient) = Pass();
            Tensor emulatedLoss, emulatedGradient;
            using (EmulatedKernels.Open())
                (emulatedLoss, emulatedGradient) = Pass();

            double apart = emulatedGradient.sub(gradient).norm().item<float>() / gradient.norm().item<float>();
            Assert.InRange(Golden.LargestDifference(emulatedLoss, loss), 0, allowed * loss.item<float>());
            Assert.InRange(apart, 0, allowed);
            return apart;

            (Tensor Loss, Tensor Gradient) Pass() => (new Window<TBatch>(batches, new RunSeed(0, 0)).Pass(arena, backbone.Loss), arena.Gradient.clone());
        }
    }
}
