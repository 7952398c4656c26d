using System.Globalization;
using FlatPO.Recipes.Generator.Tests.Harness;

namespace FlatPO.Recipes.Generator.Tests.Emission;

/// <summary>docs/performance.md says what each setting saves; the plan's numbers say the same.</summary>
public sealed class MemoryTableTests
{
    private const double Gibi = 1L << 30;

    public static TheoryData<string> Rows =>
        [.. File.ReadAllLines(Repository.PathOf("docs/performance.md")).SkipWhile(line => line != "## Memory").Where(line => line.StartsWith("| `", StringComparison.Ordinal))];

    [Theory, MemberData(nameof(Rows))]
    public void A_row_is_what_the_plan_says(string row)
    {
        string settings = row.Split('`')[1];
        EmittedPlan plan = new("CausalLM", "Qwen/Qwen2.5-1.5B", $"[Lora(Rank = 8, Alpha = 16, Sites = Sites.AllLinear)]\n[FlatPO]\n[Training({settings})]");
        string said = $"| `{settings}` | {Of("WeightBytes")} | {Of("ArenaBytes", "OptimizerBytes")} | {Of("ActivationBytes")} | {Of("LogitBytes")} | {Of("MemoryBytes")} |";
        Assert.True(said == row, said);

        string Of(params string[] parts) => (parts.Sum(part => plan[part]) / Gibi).ToString("0.00", CultureInfo.InvariantCulture);
    }

    [Fact]
    public void There_are_rows() => Assert.NotEmpty(Rows);
}
