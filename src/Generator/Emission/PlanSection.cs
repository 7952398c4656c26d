using FlatPO.Recipes.Generator.Model;
using Scriban.Runtime;

namespace FlatPO.Recipes.Generator.Emission;

/// <summary>The plan: counts and bytes as constants, and every trained tensor.</summary>
internal static class PlanSection
{
    public static string Render(PlannedRecipe planned, AccessorClass accessors, Vocabulary vocabulary)
    {
        PlanModel plan = planned.Plan;
        return Templates.Render("plan", vocabulary, new ScriptObject
        {
            ["backbone"] = planned.Recipe.Backbone.Name,
            ["counts"] = PlanWords.CountsCapitalised(plan),
            ["memory"] = PlanWords.Memory(plan.Memory),
            ["tensors"] = Literal.Grouped(plan.TrainableTensors),
            ["parameters"] = Literal.Grouped(plan.TrainableParameters),
            ["total"] = Literal.Grouped(plan.TotalParameters),
            ["perturbed"] = plan.PerturbedTensors is { } perturbed ? Literal.Grouped(perturbed) : null,
            ["memory_rows"] = MemoryRows(plan.Memory),
            ["groups"] = new ScriptArray(TensorGroup.Of(accessors).Select(group => group.ToScript())),
        });
    }

    /// <summary>What a user sees on hovering over the recipe.</summary>
    public static string Remarks(PlannedRecipe planned)
    {
        IEnumerable<string> rows =
            from placed in planned.Recipe.Adapter.Sites.Concat(planned.Recipe.Adapter.Elsewhere)
            from run in placed.Runs
            let layers = !placed.Site.InLayers ? "" : run.Places > 1 || placed.Runs.Count == 1 ? $", layers {run.First} to {run.Last}" : $", layer {run.First}"
            select $"{placed.Site.Module}{layers}: {string.Join(", ", run.Tensors.Select(tensor => $"{tensor.Name} [{string.Join(", ", tensor.Shape)}]"))}";
        IEnumerable<string> whole = planned.Recipe.SavedModules.Select(saved => $"{saved.Site.Module}: whole, [{saved.Site.Out}, {saved.Site.In}]");
        string list = string.Concat(rows.Concat(whole).Select(row => $"/// <item>{Literal.InXml(row)}</item>\n"));
        return $"/// <remarks>\n/// {PlanWords.CountsCapitalised(planned.Plan)}; {PlanWords.Memory(planned.Plan.Memory)}.\n/// <list type=\"bullet\">\n{list}/// </list>\n/// </remarks>";
    }

    private static ScriptArray MemoryRows(MemoryModel memory) => new(new (string Name, string Summary, long Bytes)[]
    {
        ("WeightBytes", "Bytes of the frozen backbone.", memory.Weights),
        ("UnpackedBytes", "Bytes of the largest weights in full that one product computes with: held in 4 bits, they are made for it and forgotten.", memory.Unpacked),
        ("ArenaBytes", "Bytes of the trained numbers, their gradients, half-width copies of low-rank factors and, with a sharpness policy, the copy a climb returns to.", memory.Arena),
        ("OptimizerBytes", "Bytes the optimizer keeps.", memory.Optimizer),
        ("ActivationBytes", $"Bytes the layers keep for backward at {PlanWords.Batch(memory)}, estimated.", memory.Activations),
        ("LogitBytes", "Bytes of the logits and their gradients, estimated.", memory.Logits),
        ("MemoryBytes", "Bytes on the device while a step runs: the sum of these.", memory.Total),
    }.Where(row => row.Name != "UnpackedBytes" || row.Bytes > 0).Select(row => new ScriptObject { ["name"] = row.Name, ["summary"] = row.Summary, ["bytes"] = Literal.Grouped(row.Bytes) }));
}
