using System.Diagnostics;
using System.Text.Json.Nodes;
using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.Ia3;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Native;

namespace FlatPO.Recipes.Tests.Adapters.Peft;

/// <summary>Entries of adapter_config.json that a newer peft may write: kept, warned about, never fatal.</summary>
public sealed class ForeignEntryTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly Listener listener = new();

    public ForeignEntryTests() => Trace.Listeners.Add(listener);

    [Theory]
    [InlineData("lora"), InlineData("ia3")]
    public void They_come_back_unchanged_with_one_warning(string method)
    {
        const string Nested = """{"b":[1,2.50],"ä":null}""";
        using Tried adapted = Saved(method);
        Edit(config =>
        {
            config["zeta_config"] = JsonNode.Parse(Nested);
            config["use_zeta"] = true;
            config["zeta_rank"] = 1e-5;
            config["peft_version"] = "9.8.7";
        });
        using Backbone fresh = BackboneLoader.Load(Golden.Backbone("opt"), Devices.Cpu, Precision.Float32);
        AdapterPlacement placement = PeftFolder.Place(fresh, folder.Path);
        Assert.Equal(["use_zeta", "zeta_config", "zeta_rank"], placement.ForeignEntries.Keys.Order());
        string warning = Assert.Single(listener.Warnings);
        Assert.All((string[])["adapter_config.json", "use_zeta = true", "zeta_config", "9.8.7", PeftFolder.PeftVersion], word => Assert.Contains(word, warning));

        placement.Save(folder.Path);
        JsonObject again = Read();
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(Nested), again["zeta_config"]));
        Assert.Equal("2.50", again["zeta_config"]!["b"]![1]!.ToJsonString()); // as it was written, not as a number is printed
        Assert.True(again["use_zeta"]!.GetValue<bool>());
        Assert.Equal(1e-5, again["zeta_rank"]!.GetValue<double>());
        Assert.Equal(PeftFolder.PeftVersion, AdapterConfig.Read(folder.Path).PeftVersion); // of who writes, not of who wrote
    }

    [Fact]
    public void They_are_those_of_the_folder_loaded_last()
    {
        using Tried adapted = Saved("lora");
        Edit(config => config["use_zeta"] = true);
        adapted.Placement.Load(folder.Path);
        Assert.Equal("use_zeta", Assert.Single(adapted.Placement.ForeignEntries).Key);
        Edit(config => config.Remove("use_zeta"));
        adapted.Placement.Load(folder.Path);
        Assert.Empty(adapted.Placement.ForeignEntries);
        Assert.Single(listener.Warnings);
    }

    [Fact]
    public void An_entry_that_says_nothing_is_not_one()
    {
        using Tried adapted = Saved("lora");
        Edit(config =>
        {
            config["use_zeta"] = false;
            config["zeta_config"] = null;
            config["zeta_pattern"] = new JsonObject();
            config["zeta_list"] = new JsonArray();
        });
        adapted.Placement.Load(folder.Path);
        Assert.Empty(adapted.Placement.ForeignEntries);
        Assert.Empty(listener.Warnings);
    }

    [Theory, MemberData(nameof(AdapterGolden.Cases), MemberType = typeof(AdapterGolden)), Trait("Category", Golden.Category)]
    public void Whatever_peft_itself_writes_is_known(string name)
    {
        string adapter = Golden.Adapter(name), backbone = File.ReadAllText(Path.Combine(adapter, "base.txt")).Trim();
        using Backbone fresh = BackboneLoader.Load(Golden.Backbone(backbone), Devices.Cpu, Precision.Float32);
        Assert.Empty(PeftFolder.Place(fresh, adapter).ForeignEntries);
        Assert.Empty(listener.Warnings);
    }

    private Tried Saved(string method)
    {
        Tried adapted = new(method == "lora" ? new LoraMethod { Rank = 2 } : new Ia3Method(), "opt");
        adapted.Placement.Save(folder.Path);
        return adapted;
    }

    private JsonObject Read() => JsonNode.Parse(File.ReadAllText(folder.File(AdapterConfig.FileName)))!.AsObject();

    private void Edit(Action<JsonObject> edit)
    {
        JsonObject config = Read();
        edit(config);
        File.WriteAllText(folder.File(AdapterConfig.FileName), config.ToJsonString());
    }

    public void Dispose()
    {
        Trace.Listeners.Remove(listener);
        listener.Dispose();
        folder.Dispose();
    }

    private sealed class Listener : TraceListener
    {
        internal List<string> Warnings { get; } = [];

        public override void TraceEvent(TraceEventCache? eventCache, string source, TraceEventType eventType, int id, string? message)
        {
            if (eventType == TraceEventType.Warning)
                Warnings.Add(message!);
        }

        public override void Write(string? message)
        {
        }

        public override void WriteLine(string? message)
        {
        }
    }
}
