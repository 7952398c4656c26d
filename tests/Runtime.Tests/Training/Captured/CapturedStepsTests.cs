using System.Text.Json.Nodes;
using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Trainables;
using FlatPO.Recipes.Training;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Training.Captured;

/// <summary>What recorded steps stand on, without a GPU: signatures, windows that stay, where a recording is cut, what cannot be recorded, which graphs are kept.</summary>
public sealed class CapturedStepsTests
{
    public static TheoryData<string> All => Families.All;

    [Fact]
    public void On_the_CPU_every_step_is_eager_and_the_report_says_why()
    {
        RunOutcome run = Families.Visit(Golden.Backbone("opt"), Devices.Cpu, [5, 9, 3], new ShortRun(new TrainingLoop { Epochs = 2, BatchSize = 2 }));
        Assert.Equal((0, run.Report.Steps.Count, 0), (run.Execution.CapturedSteps, run.Execution.EagerSteps, run.Execution.Graphs));
        Assert.Contains("CUDA graphs need a CUDA device; the run is on cpu", run.Execution.WhyEager);
    }

    [Fact]
    public void Windows_of_one_signature_have_tensors_of_the_same_sizes_and_the_same_facts()
    {
        using var scope = NewDisposeScope();
        TokenBatch batch = Batch(2, 8, supervised: 5);
        string signature = Signature(batch);
        Assert.Equal(signature, Signature(Batch(2, 8, supervised: 5)));
        Assert.Equal(Signature(Batch(2, 8, supervised: 5).Rounded(8, 0)), Signature(Batch(2, 8, supervised: 6).Rounded(8, 0))); // both are computed on six places
        string[] others =
        [
            Signature(Batch(3, 8, supervised: 5)), Signature(Batch(2, 9, supervised: 5)), Signature(Batch(2, 8, supervised: 6)), Signature(batch with { Padding = Padding.Right }),
            Signature(batch, batch), Signature(batch with { Labels = batch.Labels.to_type(ScalarType.Int32) }),
        ];
        Assert.DoesNotContain(signature, others);
        Assert.Equal(others.Length, others.Distinct().Count());
        SequenceBatch text = new(batch.InputIds, batch.AttentionMask, batch.InputIds, batch.InputIds[0]);
        Assert.NotEqual(Signature(text), Signature(text with { Padded = false }));
        MultimodalBatch seen = new(batch, null, [new PatchGrid(1, 2, 4)]);
        Assert.NotEqual(Signature(seen), Signature(seen with { Grids = [new PatchGrid(1, 4, 2)] }));

        static string Signature<TBatch>(params TBatch[] batches)
            where TBatch : IBatch => new Window<TBatch>(batches, default).Signature();
    }

    [Theory, MemberData(nameof(All)), Trait("Category", Golden.Category)]
    public void A_window_that_took_anothers_numbers_passes_as_the_other(string family) =>
        Assert.NotEqual(0, Families.Visit(Golden.Backbone(family), Devices.Cpu, [6, 9, 9, 6], new Takes()));

    [Fact]
    public void A_recording_is_cut_before_each_micro_batch_of_each_pass()
    {
        using Adapted adapted = new();
        Notes notes = new();
        Window<TokenBatch> window = Adapted.Window(Adapted.Examples(6), 2);
        window.Watch = notes;
        adapted.SharpStep(window, ranking => ranking.Sharpest(2), 0.05);
        Assert.Equal(["begin 0", "end", "begin 1", "end", "begin 2", "end", "begin 0", "end", "begin 1", "end", "begin 2", "end"], notes.Said);
    }

    [Fact]
    public void What_the_host_draws_is_not_recorded()
    {
        Window<TokenBatch> window = new([], new RunSeed(1, 2));
        long drawn = window.Seed;
        using (Recording.Open())
            Assert.Contains("draws at random", Assert.Throws<NotSupportedException>(() => window.Seed).Message);
        Assert.Equal(drawn, window.Seed);
    }

    [Fact]
    public void Layers_left_out_at_random_are_not_recorded()
    {
        using TemporaryFolder folder = new();
        foreach (string file in Directory.GetFiles(Golden.Backbone("opt")))
            File.Copy(file, folder.File(Path.GetFileName(file)));
        JsonNode config = JsonNode.Parse(File.ReadAllText(folder.File("config.json")))!;
        config["layerdrop"] = 0.5;
        File.WriteAllText(folder.File("config.json"), config.ToJsonString());
        using var backbone = (CausalLM)BackboneLoader.Load(folder.Path, Devices.Cpu, Precision.Float32);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        TokenBatch batch = Batch(2, 8, supervised: 5);
        backbone.Training = true;
        backbone.Logits(batch);
        using (Recording.Open())
            Assert.Contains("layerdrop", Assert.Throws<NotSupportedException>(() => backbone.Logits(batch)).Message);
    }

    [Fact]
    public void The_shelf_keeps_what_is_in_use_and_lets_go_of_what_is_not()
    {
        using GraphShelf<Thing> shelf = new(room: 2);
        Thing a = new(), b = new(), c = new();
        Put("a", 0, a);
        Put("b", 1, b);
        Assert.False(shelf.MakeRoom(2)); // both are in use: turns of three would record all day
        Assert.True(shelf.TryUse("a", 7, out Thing? found));
        Assert.Same(a, found);
        Put("c", 12, c); // nobody used b for long
        Assert.Equal((false, true, false, 2), (a.IsGone, b.IsGone, c.IsGone, shelf.Count));
        Assert.False(shelf.TryUse("b", 13, out _));
        shelf.Dispose();
        Assert.True(a.IsGone && c.IsGone);

        void Put(string signature, long step, Thing thing)
        {
            Assert.True(shelf.MakeRoom(step));
            shelf.Put(signature, step, thing);
        }
    }

    private static TokenBatch Batch(long rows, long length, long supervised)
    {
        Tensor ids = ones([rows, length], ScalarType.Int64).mul(7);
        return new TokenBatch(ids, ones_like(ids), ids, supervised);
    }

    private sealed class Notes : IPassWatch
    {
        internal List<string> Said { get; } = [];

        public void Begin(int micro) => Said.Add($"begin {micro}");

        public void End() => Said.Add("end");
    }

    private sealed class Thing : IDisposable
    {
        internal bool IsGone { get; private set; }

        public void Dispose() => IsGone = true;
    }

    /// <summary>Holds a window, gives it the numbers of another of its signature and passes both; the other's loss.</summary>
    private sealed class Takes : IOnFamily<float>
    {
        public float On<TExample, TBatch>(Backbone<TExample, TBatch> backbone, TExample[] examples)
            where TBatch : IBatch
        {
            using var scope = NewDisposeScope();
            AdapterPlacement placement = new(backbone, seed: 3);
            placement.PlaceAtAll(new LoraMethod { Rank = 2 }, Sites.AllLinear);
            using Arena arena = placement.BuildArena();
            Window<TBatch> other = Of(examples);
            Window<TBatch> held = other.Held(CPU, new Notes());
            held.Take(Blank(other));
            held.Predictions!.fill_(1);
            held.Take(other);
            Assert.Equal(other.Signature(), held.Signature());
            Tensor expected = other.Pass(arena, backbone.Loss), gradient = arena.Gradient.clone();
            Assert.Equal(expected.item<float>(), held.Pass(arena, backbone.Loss).item<float>());
            Assert.True(arena.Gradient.eq(gradient).all().item<bool>());
            held.Release();
            return expected.item<float>();

            Window<TBatch> Of(TExample[] some) => new([.. some.Chunk(2).Select(micro => backbone.Collate(micro, 0))], new RunSeed(0, 0));

            Window<TBatch> Blank(Window<TBatch> like) => new([.. like.Batches.Select(batch => (TBatch)batch.Each(tensor => zeros_like(tensor)))], like.Draws);
        }
    }
}
