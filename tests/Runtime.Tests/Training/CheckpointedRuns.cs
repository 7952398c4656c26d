using FlatPO.Recipes.Native;
using FlatPO.Recipes.Tests.Training.Captured;
using FlatPO.Recipes.Training;

namespace FlatPO.Recipes.Tests.Training;

/// <summary>Runs whose layers keep their inputs alone, beside the same runs whose layers keep everything.</summary>
[Trait("Category", Golden.Category)]
public sealed class CheckpointedRuns
{
    private static readonly int[] Lengths = [9, 3, 12, 5, 7, 11, 4];

    public static TheoryData<string> All => Families.All;

    [Theory, MemberData(nameof(All))]
    public void Every_family_trains_to_the_same_numbers(string family) => AssertSame(Golden.Backbone(family), dropout: 0);

    [Theory]
    [InlineData("opt"), InlineData("roberta"), InlineData("vit")]
    public void So_it_does_with_dropout_in_its_adapters(string family) => AssertSame(Golden.Backbone(family), dropout: 0.3);

    [Theory]
    [InlineData("bert"), InlineData("opt_post")]
    public void So_it_does_with_dropout_in_its_backbone(string variant) => AssertSame(Golden.Variant(variant), dropout: 0);

    private static void AssertSame(string folder, double dropout)
    {
        RunOutcome Outcome(bool checkpointing) => Families.Visit(folder, Devices.Cpu, Lengths, new ShortRun(new TrainingLoop { Epochs = 2, BatchSize = 2, GradientAccumulation = 2, Checkpointing = checkpointing }) { Dropout = dropout });
        RunOutcome everything = Outcome(checkpointing: false), recomputed = Outcome(checkpointing: true);
        recomputed.AssertNear(everything, 0);
    }
}
