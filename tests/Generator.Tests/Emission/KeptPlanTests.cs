using System.Text.Json;
using FlatPO.Recipes.Generator.Tests.Harness;

namespace FlatPO.Recipes.Generator.Tests.Emission;

/// <summary>What the plan says a layer of a gated decoder keeps for backward, with low-rank updates that are computed with it and with what is not.</summary>
public sealed class KeptPlanTests : IDisposable
{
    private const int Batch = 3, Length = 10, Rank = 2, Single = sizeof(float), Half = 2;

    private readonly JsonDocument config = JsonDocument.Parse(File.ReadAllText(Repository.PathOf("tests/Golden/backbones/llama/config.json")));

    private long Hidden => Of("hidden_size");

    private long Wide => Of("intermediate_size");

    private long Queries => Of("num_attention_heads") * Of("head_dim");

    private long Keys => Of("num_key_value_heads") * Of("head_dim");

    /// <summary>The inputs of two norms, queries, keys, values and the mixture of attention.</summary>
    private long Attention => 2 * (Hidden + Queries + Keys);

    /// <summary>One operation: its input and what gate and up come to.</summary>
    private long Block => Hidden + 2 * Wide;

    [Theory]
    [InlineData("Float32", Single)]
    [InlineData("BFloat16", Half)]
    [InlineData("NF4", Half)]
    public void Low_rank_updates_keep_the_input_of_queries_keys_and_values_once_and_hidden_numbers(string precision, int width) =>
        Assert.Equal(width * (Attention + Block + Hidden) + Single * 7 * Rank, OfLayer("Lora(Rank = 2, Sites = Sites.AllLinear)", precision));

    [Theory]
    [InlineData("Sites.Output", 1)] // reads attention's mixture, which attention keeps
    [InlineData("Sites.Down", 1)] // reads what the block computes anew
    [InlineData("Sites.FeedForward", 3)]
    public void Where_the_layer_keeps_its_input_or_computes_it_anew_a_low_rank_update_keeps_hidden_numbers_alone(string sites, int count) =>
        Assert.Equal(Half * (Attention + Block) + Single * count * Rank, OfLayer($"Lora(Rank = 2, Sites = {sites})", "BFloat16"));

    [Theory]
    [InlineData("UseRslora = true")]
    [InlineData("LearningRateRatio = 4")]
    [InlineData("Initialization = LoraInitialization.Gaussian")]
    public void What_changes_how_factors_begin_or_learn_changes_nothing(string setting) =>
        Assert.Equal(OfLayer("Lora(Rank = 2, Sites = Sites.AllLinear)", "BFloat16"), OfLayer($"Lora(Rank = 2, Sites = Sites.AllLinear, {setting})", "BFloat16"));

    [Theory]
    [InlineData("LoraBias = true")]
    [InlineData("Initialization = LoraInitialization.Pissa")]
    [InlineData("Initialization = LoraInitialization.Olora")]
    public void What_is_more_than_a_low_rank_update_keeps_a_copy_of_its_own_and_parts_the_block(string setting)
    {
        string adapter = $"Lora(Rank = 2, Sites = Sites.AllLinear, {setting})";
        long inputs = 5 * Hidden + Queries + Wide, shared = 2 * Hidden + Wide;
        Assert.Equal(Half * (Attention + 3 * Wide) + Single * (inputs + 7 * Rank), OfLayer(adapter, "BFloat16"));
        Assert.Equal(Single * (Attention + 3 * Wide + shared + 7 * Rank), OfLayer(adapter, "Float32"));
    }

    [Theory]
    [InlineData("BFloat16", Half)]
    [InlineData("Float32", Single)]
    public void Dropout_keeps_an_input_and_a_mask_for_each(string precision, int width) => Assert.Equal(
        width * (Attention + 3 * Wide) + Single * (5 * Hidden + Queries + Wide + 7 * Rank) + 5 * Hidden + Queries + Wide,
        OfLayer("Lora(Rank = 2, Sites = Sites.AllLinear, Dropout = 0.1)", precision));

    [Theory]
    [InlineData("Lora(Rank = 2, LoraBias = true, Sites = Sites.Query)", false)]
    [InlineData("Lora(Rank = 2, LoraBias = true, Sites = Sites.Query | Sites.Up)", true)]
    [InlineData("LnTuning", false)]
    public void The_block_is_parted_by_what_sits_at_it_alone(string adapter, bool isParted)
    {
        long kept = OfLayer(adapter, "BFloat16"), copies = adapter.StartsWith("Lora", StringComparison.Ordinal) ? Single * (Hidden + Rank) * (isParted ? 2 : 1) : 0;
        Assert.Equal(Half * (Attention + (isParted ? 3 * Wide : Block)) + copies, kept);
    }

    [Fact]
    public void A_neighbour_that_is_no_low_rank_update_parts_all_that_read_one_input() => Assert.Equal(
        Half * (Attention + Block) + Single * (Hidden + Rank + Keys),
        OfLayer("Lora(Rank = 2, Sites = Sites.Query)]\n[Ia3(Sites = Sites.Key, FeedForward = Sites.None)", "BFloat16"));

    [Theory]
    [InlineData("Lora(Rank = 2)", "Float32", 2 * Single)]
    [InlineData("Lora(Rank = 2)", "BFloat16", 2 * Single + 2 * Half)] // each number and what rounding it left
    [InlineData("Lora(Rank = 2, Dropout = 0.1)", "BFloat16", 2 * Single)]
    [InlineData("LnTuning", "BFloat16", 2 * Single)]
    public void Factors_that_half_width_products_take_are_there_once_more(string adapter, string precision, int bytes)
    {
        EmittedPlan plan = Plan(adapter, precision);
        Assert.Equal(bytes * plan["TrainableParameters"], plan["ArenaBytes"]);
    }

    [Fact]
    public void A_backbone_without_a_gate_keeps_a_low_rank_updates_input_in_its_own_format()
    {
        long up = Plan("Lora(Rank = 2, Sites = Sites.Up)", "BFloat16", "opt")["ActivationBytes"], hidden = Plan("Lora(Rank = 2, Sites = Sites.Output)", "BFloat16", "opt")["ActivationBytes"];
        using JsonDocument opt = JsonDocument.Parse(File.ReadAllText(Repository.PathOf("tests/Golden/backbones/opt/config.json")));
        Assert.Equal(Batch * Length * opt.RootElement.GetProperty("num_hidden_layers").GetInt64() * opt.RootElement.GetProperty("hidden_size").GetInt64() * Half, up - hidden);
    }

    public void Dispose() => config.Dispose();

    /// <summary>Bytes that one layer keeps at one position.</summary>
    private long OfLayer(string adapter, string precision)
    {
        (long kept, long rest) = Math.DivRem(Plan(adapter, precision)["ActivationBytes"], Batch * Length * Of("num_hidden_layers"));
        Assert.Equal(0, rest);
        return kept;
    }

    private static EmittedPlan Plan(string adapter, string precision, string backbone = "llama") =>
        new("CausalLM", backbone, $"[{adapter}]\n[Training(BatchSize = {Batch}, MaxLength = {Length}, Precision = Precision.{precision})]");

    private long Of(string key) => config.RootElement.GetProperty(key).GetInt64();
}
