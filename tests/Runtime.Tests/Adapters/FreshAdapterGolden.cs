using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.Bottleneck;
using FlatPO.Recipes.Adapters.Vera;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Trainables;

namespace FlatPO.Recipes.Tests.Adapters;

/// <summary>A method on every linear layer of every golden backbone: it begins as the base model, exactly.</summary>
public sealed class FreshAdapterGolden
{
    public static TheoryData<string, string> Cases
    {
        get
        {
            TheoryData<string, string> cases = [];
            foreach (string method in (string[])["vera", "bottleneck"])
                foreach (string backbone in Golden.Cases("backbones"))
                    cases.Add(method, backbone);
            return cases;
        }
    }

    [Theory, MemberData(nameof(Cases)), Trait("Category", Golden.Category)]
    public void Leaves_the_logits_exactly_the_bases(string method, string backbone)
    {
        using AdapterGolden.Loaded plain = Load(backbone), adapted = Load(backbone);
        AdapterPlacement placement = new(adapted.Backbone, seed: 1);
        foreach (Projection site in adapted.Backbone.Weights.Projections.Where(site => (site.Role & Sites.AllLinear) != 0))
            placement.Place(Of(method, site), site);
        using Arena arena = placement.BuildArena();
        using (arena.Bind())
            Assert.Equal(plain.Logits(plain.Backbone).reshape(-1).Bits(), adapted.Logits(adapted.Backbone).reshape(-1).Bits());
        Assert.NotEmpty(placement.Tensors);
    }

    private static AdapterGolden.Loaded Load(string backbone)
    {
        string folder = Golden.Backbone(backbone);
        return new AdapterGolden.Loaded(BackboneLoader.Load(folder, Devices.Cpu, Precision.Float32), Golden.Case(folder));
    }

    private static AdapterMethod Of(string method, Projection site) => method switch
    {
        "bottleneck" => new BottleneckMethod { Size = (int)Math.Min(5, site.Out) },
        "vera" => new VeraMethod { Rank = 6 },
        _ => throw new ArgumentOutOfRangeException(nameof(method), method, site.Module),
    };
}
