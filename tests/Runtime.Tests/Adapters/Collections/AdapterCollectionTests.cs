using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.Ia3;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Generation;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Trainables;
using FlatPO.Recipes.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Adapters.Collections;

/// <summary>Several adapters on one backbone: each as if it were alone, and the base model in between.</summary>
[Trait("Category", Golden.Category)]
public sealed class AdapterCollectionTests : IDisposable
{
    private const int Lookups = 20;

    private readonly TemporaryFolder folder = new();

    public static TheoryData<string, Precision> Backbones => new()
    {
        { "opt", Precision.Float32 }, { "llama", Precision.BFloat16 }, { "roberta", Precision.Float32 }, { "vit", Precision.Float32 }, { "vit", Precision.BFloat16 }, { "clip", Precision.Float32 },
        { "qwen2_5_vl", Precision.Float32 },
    };

    [Theory, MemberData(nameof(Backbones))]
    public void Each_computes_as_if_alone_after_any_sequence_of_switches(string name, Precision precision)
    {
        string[] adapters = Write(name);
        int[] plain = Plain(name, precision);
        Dictionary<string, int[]> alone = adapters.ToDictionary(adapter => adapter, adapter => Alone(name, precision, adapter));
        Assert.Equal(adapters.Length, alone.Values.Append(plain).Select(bits => string.Join(',', bits)).Distinct().Count() - 1); // they differ, so that a mix-up shows

        using Backbone backbone = BackboneLoader.Load(Golden.Backbone(name), Devices.Cpu, precision);
        using AdapterCollection collection = new(backbone);
        foreach (string adapter in adapters)
        {
            collection.Load(adapter, folder.File(adapter));
            Assert.Null(collection.Active);
            Assert.Equal(plain, Bits(collection));
        }
        Random random = new(7);
        for (int i = 0; i < Lookups; i++)
        {
            string? next = random.Next(adapters.Length + 1) is var drawn && drawn < adapters.Length ? adapters[drawn] : null;
            collection.Activate(next);
            Assert.Equal(next, collection.Active);
            Assert.Equal(next is null ? plain : alone[next], Bits(collection));
        }
    }

    [Fact]
    public void They_come_and_go_while_another_is_active()
    {
        string[] adapters = Write("roberta");
        using Backbone backbone = BackboneLoader.Load(Golden.Backbone("roberta"), Devices.Cpu, Precision.Float32);
        using AdapterCollection collection = new(backbone);
        collection.Load(adapters[0], folder.File(adapters[0]));
        collection.Activate(adapters[0]);
        int[] first = Alone("roberta", Precision.Float32, adapters[0]);
        collection.Load(adapters[1], folder.File(adapters[1]));
        Assert.Equal(adapters[..2], collection.Names);
        Assert.Equal((adapters[0], first.Length), (collection.Active, Bits(collection).Length));
        Assert.Equal(first, Bits(collection));
        collection.Remove(adapters[1]);
        Assert.Equal(first, Bits(collection));
        collection.Load(adapters[1], folder.File(adapters[2])); // a name may come back with other numbers
        collection.Activate(adapters[1]);
        Assert.Equal(Alone("roberta", Precision.Float32, adapters[2]), Bits(collection));
    }

    [Fact]
    public void A_collection_that_is_gone_leaves_the_base_model()
    {
        string[] adapters = Write("vit");
        using Backbone backbone = BackboneLoader.Load(Golden.Backbone("vit"), Devices.Cpu, Precision.Float32);
        using (AdapterCollection collection = new(backbone))
        {
            collection.Load(adapters[0], folder.File(adapters[0]));
            collection.Activate(adapters[0]);
        }
        using Tensor probe = backbone.Probe()!;
        Assert.Equal(Plain("vit", Precision.Float32), probe.to_type(ScalarType.Float32).reshape(-1).Bits());
    }

    [Fact]
    public void Evaluation_and_generation_run_through_the_active_one()
    {
        string[] adapters = Write("opt");
        TokenExample[] examples = [new([5, 6, 7, 8]), new([9, 10, 11])];
        using var backbone = (CausalLM)BackboneLoader.Load(Golden.Backbone("opt"), Devices.Cpu, Precision.Float32);
        using AdapterCollection collection = new(backbone);
        foreach (string adapter in adapters)
            collection.Load(adapter, folder.File(adapter));
        foreach (string adapter in adapters)
        {
            using var other = (CausalLM)BackboneLoader.Load(Golden.Backbone("opt"), Devices.Cpu, Precision.Float32);
            AdapterPlacement placement = PeftFolder.Place(other, folder.File(adapter));
            using Arena arena = placement.BuildArena();
            collection.Activate(adapter);
            collection.Training = true; // evaluating and generating drop nothing all the same
            Assert.Equal(new Evaluator(placement, arena).Evaluate(other, examples), new Evaluator(collection).Evaluate(backbone, examples));
            collection.Training = true;
            Assert.Equal(Grown(new TextGenerator(placement, arena), other), Grown(new TextGenerator(collection), backbone));
        }
        collection.Activate(null);
        using AdapterCollection none = new(backbone);
        Assert.Equal(Grown(new TextGenerator(none), backbone), Grown(new TextGenerator(collection), backbone));

        static IEnumerable<int> Grown(TextGenerator generator, CausalLM backbone) =>
            generator.Generate(backbone, [[5, 6, 7]], new GenerationSettings { MaxNewTokens = 8, StopIds = [] }, null, default)[0].Ids;
    }

    [Fact]
    public void The_active_one_can_be_saved_and_merged_the_others_saved()
    {
        string[] adapters = Write("roberta");
        using TemporaryFolder merged = new(), saved = new();
        using Backbone backbone = BackboneLoader.Load(Golden.Backbone("roberta"), Devices.Cpu, Precision.Float32);
        using AdapterCollection collection = new(backbone);
        foreach (string adapter in adapters)
            collection.Load(adapter, folder.File(adapter));
        collection.Activate(adapters[1]);
        collection[adapters[0]].Save(saved.Path);
        Assert.Equal(File.ReadAllBytes(Path.Combine(folder.File(adapters[0]), "adapter_model.safetensors")), File.ReadAllBytes(saved.File("adapter_model.safetensors")));
        RecipeException error = Assert.Throws<RecipeException>(() => collection[adapters[0]].MergeInto(merged.Path));
        Assert.Equal("FPO4019", error.Id);
        Assert.Empty(Directory.GetFileSystemEntries(merged.Path));
        int[] before = Bits(collection);
        collection[adapters[1]].MergeInto(merged.Path);
        Assert.Equal(before, Bits(collection));
    }

    [Fact]
    public void Nothing_is_left_behind()
    {
        string[] adapters = Write("vit");
        using Backbone backbone = BackboneLoader.Load(Golden.Backbone("vit"), Devices.Cpu, Precision.Float32);
        using AdapterCollection collection = new(backbone);
        collection.Load(adapters[0], folder.File(adapters[0]));
        Round(1);
        long before = Live();
        Round(2);
        Assert.Equal(before, Live());
        Assert.Throws<RecipeException>(() => collection.Load("clash", Broken(adapters[2])));
        Assert.Equal(before, Live());

        void Round(int which)
        {
            collection.Load(adapters[which], folder.File(adapters[which]));
            foreach (string? name in (string?[])[adapters[which], adapters[0], null, adapters[which], adapters[0]])
            {
                collection.Activate(name);
                Bits(collection);
            }
            collection.Remove(adapters[which]);
        }

        static long Live() => DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
    }

    [Fact]
    public void A_folder_that_does_not_fit_leaves_everything_as_it_was()
    {
        string[] adapters = Write("vit");
        using Backbone backbone = BackboneLoader.Load(Golden.Backbone("vit"), Devices.Cpu, Precision.Float32);
        using AdapterCollection collection = new(backbone);
        collection.Load(adapters[0], folder.File(adapters[0]));
        collection.Activate(adapters[0]);
        int[] before = Bits(collection);
        RecipeException error = Assert.Throws<RecipeException>(() => collection.Load("clash", Broken(adapters[2])));
        Assert.Equal("FPO4010", error.Id);
        Assert.Equal(adapters[0], Assert.Single(collection.Names));
        Assert.Equal(before, Bits(collection));
        collection.Activate(null);
        Assert.Equal(Plain("vit", Precision.Float32), Bits(collection));
    }

    [Fact]
    public void A_name_that_is_unknown_taken_or_active_is_an_error()
    {
        string[] adapters = Write("opt");
        using Backbone backbone = BackboneLoader.Load(Golden.Backbone("opt"), Devices.Cpu, Precision.Float32);
        using AdapterCollection collection = new(backbone);
        Fails("FPO4017", () => collection.Activate("legal"), "'legal'", "none is loaded");
        collection.Load("legal", folder.File(adapters[0]));
        collection.Load("medical", folder.File(adapters[1]));
        Fails("FPO4017", () => collection.Activate("leagl"), "'leagl'", "'legal', 'medical'");
        Fails("FPO4017", () => collection.Remove("leagl"), "'legal', 'medical'");
        Fails("FPO4017", () => _ = collection["leagl"], "'legal', 'medical'");
        Fails("FPO4018", () => collection.Load("legal", folder.File(adapters[1])), "'legal' already");
        collection.Activate("legal");
        Fails("FPO4018", () => collection.Remove("legal"), "'legal' is active");
        collection.Activate("medical");
        collection.Remove("legal");
        Assert.Equal(["medical"], collection.Names);

        static void Fails(string id, Action act, params string[] words)
        {
            RecipeException error = Assert.Throws<RecipeException>(act);
            Assert.Equal(id, error.Id);
            Assert.All(words, word => Assert.Contains(word, error.Message));
        }
    }

    /// <summary>Three folders for a backbone: methods, sites and modules trained whole that overlap.</summary>
    private string[] Write(string name)
    {
        string[] names = ["one", "two", "three"];
        AdapterMethod[] methods = [new LoraMethod { Rank = 4, Dropout = 0.5 }, new LoraMethod { Rank = 2, UseDora = true, UseRslora = true }, new Ia3Method()];
        Sites[] sites = [Sites.AllLinear, Sites.Attention, Sites.Key | Sites.Value | Sites.Down];
        for (int i = 0; i < names.Length; i++)
        {
            using Backbone backbone = BackboneLoader.Load(Golden.Backbone(name), Devices.Cpu, Precision.Float32);
            AdapterPlacement placement = new(backbone, seed: i);
            foreach (Projection site in backbone.Weights.Projections.Where(site => (site.Role & sites[i]) != 0))
                placement.Place(methods[i], site);
            if (i != 1)
                foreach (Projection head in backbone.Weights.Projections.Where(site => site.Module.StartsWith("classifier", StringComparison.Ordinal)))
                    placement.TrainWhole(head.Module);
            using Arena arena = placement.BuildArena();
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            using Generator random = new((ulong)i);
            arena.Values.add_(randn([arena.Count], generator: random).mul(0.05));
            placement.Save(folder.File(names[i]));
        }
        return names;
    }

    /// <summary>A copy of a folder without one of its tensors.</summary>
    private string Broken(string adapter)
    {
        string broken = folder.File($"{adapter}-broken");
        Directory.CreateDirectory(broken);
        File.Copy(Path.Combine(folder.File(adapter), AdapterConfig.FileName), Path.Combine(broken, AdapterConfig.FileName), overwrite: true);
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(folder.File(adapter), "adapter_model.safetensors"));
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(Path.Combine(broken, "adapter_model.safetensors"), file.Entries.Keys.Skip(1).ToDictionary(name => name, file.Read));
        return broken;
    }

    private static int[] Plain(string name, Precision precision)
    {
        using Backbone backbone = BackboneLoader.Load(Golden.Backbone(name), Devices.Cpu, precision);
        using AdapterCollection none = new(backbone);
        return Bits(none);
    }

    private int[] Alone(string name, Precision precision, string adapter)
    {
        using Backbone backbone = BackboneLoader.Load(Golden.Backbone(name), Devices.Cpu, precision);
        AdapterPlacement placement = PeftFolder.Place(backbone, folder.File(adapter));
        using Arena arena = placement.BuildArena();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using (arena.Bind())
            return Bits(backbone);
    }

    private static int[] Bits(AdapterCollection collection)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using (collection.Bind())
            return Bits(collection.Backbone);
    }

    private static int[] Bits(Backbone backbone) => backbone.Probe()!.to_type(ScalarType.Float32).reshape(-1).Bits();

    public void Dispose() => folder.Dispose();
}
