using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Trainables;
using Xunit.Abstractions;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Adapters;

/// <summary>
/// Every method on every golden backbone: where the compiler allows it, a fresh adapter gives the logits of the base, or those of the base reading what it puts beside the
/// inputs, bit for bit; where not, the runtime refuses it under the same id.
/// </summary>
[Trait("Category", Golden.Category)]
public sealed class FreshAdapterGolden(ITestOutputHelper output)
{
    private const string Allowed = "yes";

    public static TheoryData<string, string> Refused => Where((method, backbone) => AllowedPairs.Answer(method, backbone) != Allowed);

    public static TheoryData<string, string> LikeTheBase => Like("base");

    public static TheoryData<string, string> LikeTheBaseInBFloat16 => Where((method, backbone) => Cell(method, backbone) == "base" && !new FreshMethod(method).TrainsOwnNumbers);

    public static TheoryData<string, string> LikeTokens => Like("tokens");

    public static TheoryData<string, string> LikeACache => Like("cache");

    public static TheoryData<string, string> LikePatches => Like("patches");

    [Theory, MemberData(nameof(LikeTheBase))]
    public void Leaves_the_logits_exactly_the_bases(string method, string backbone) => AssertLikeTheBase(method, backbone, Precision.Float32);

    [Theory, MemberData(nameof(LikeTheBaseInBFloat16))]
    public void Does_so_in_bfloat16_where_the_base_computes_with_its_own_numbers(string method, string backbone) => AssertLikeTheBase(method, backbone, Precision.BFloat16);

    [Theory, MemberData(nameof(LikeTokens))]
    public void Is_read_exactly_as_tokens_before_the_text(string method, string backbone)
    {
        using var scope = NewDisposeScope();
        using AdapterGolden.Loaded plain = Load(backbone), adapted = Load(backbone);
        VirtualTokenIdentity.AssertReadAsTokens(plain, adapted, new FreshMethod(method));
    }

    [Theory, MemberData(nameof(LikeACache))]
    public void Is_seen_exactly_as_the_cache_of_what_was_read_before(string method, string backbone)
    {
        using var scope = NewDisposeScope();
        using AdapterGolden.Loaded plain = Load(backbone), adapted = Load(backbone);
        VirtualTokenIdentity.AssertSeenAsCache(plain, adapted, new FreshMethod(method));
    }

    [Theory, MemberData(nameof(LikePatches))]
    public void Is_seen_exactly_as_patches_of_the_image(string method, string backbone)
    {
        using var scope = NewDisposeScope();
        new PatchIdentity(Golden.Backbone(backbone)).AssertSeenAsPatches(new FreshMethod(method));
    }

    [Theory, MemberData(nameof(Refused))]
    public void Is_refused_under_the_compilers_id(string method, string backbone)
    {
        using AdapterGolden.Loaded loaded = Load(backbone);
        RecipeException error = Assert.Throws<RecipeException>(() => new FreshMethod(method).On(loaded.Backbone));
        Assert.Equal(AllowedPairs.Answer(method, backbone), error.Id);
    }

    [Fact]
    public void The_matrix_is_the_one_of_the_documentation()
    {
        string[] rows =
        [
            Row("method", AllowedPairs.Backbones),
            Row("---", AllowedPairs.Backbones.Select(_ => "---")),
            .. AllowedPairs.Methods.Select(method => Row($"`{method}`", AllowedPairs.Backbones.Select(backbone => Cell(method, backbone)))),
        ];
        string matrix = string.Join('\n', rows);
        output.WriteLine(matrix);
        string documented = File.ReadAllText(Path.Combine(Golden.Repository, "docs", "adapters.md")).ReplaceLineEndings("\n");
        Assert.True(documented.Contains($"\n\n{matrix}\n\n", StringComparison.Ordinal), $"docs/adapters.md has another matrix than\n{matrix}");
    }

    private static void AssertLikeTheBase(string method, string backbone, Precision precision)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using AdapterGolden.Loaded plain = Load(backbone, precision), adapted = Load(backbone, precision);
        AdapterPlacement placement = new FreshMethod(method).On(adapted.Backbone);
        using Arena arena = placement.BuildArena();
        using (arena.Bind())
            Assert.Equal(Bits(plain), Bits(adapted));
        Assert.NotEmpty(placement.Tensors);

        static int[] Bits(AdapterGolden.Loaded loaded) => loaded.Logits(loaded.Backbone).to_type(ScalarType.Float32).reshape(-1).Bits();
    }

    private static string Cell(string method, string backbone) => AllowedPairs.Answer(method, backbone) is var answer && answer == Allowed ? new FreshMethod(method).Identity : answer;

    private static string Row(string first, IEnumerable<string> others) => $"| {string.Join(" | ", others.Prepend(first))} |";

    private static TheoryData<string, string> Like(string identity) => Where((method, backbone) => Cell(method, backbone) == identity);

    // every golden backbone of the folder, so that one without a column is an error
    private static TheoryData<string, string> Where(Func<string, string, bool> wanted)
    {
        TheoryData<string, string> pairs = [];
        foreach (string method in AllowedPairs.Methods)
            foreach (object[] backbone in (IEnumerable<object[]>)Golden.Cases("backbones"))
                if (wanted(method, (string)backbone[0]))
                    pairs.Add(method, (string)backbone[0]);
        return pairs;
    }

    private static AdapterGolden.Loaded Load(string backbone, Precision precision = Precision.Float32)
    {
        string folder = Golden.Backbone(backbone);
        return new AdapterGolden.Loaded(BackboneLoader.Load(folder, Devices.Cpu, precision), Golden.Case(folder));
    }
}
