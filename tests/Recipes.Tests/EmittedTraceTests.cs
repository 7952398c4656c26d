using System.Text.Json;
using FlatPO.Recipes;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Training;
using Specimens;
using static TorchSharp.torch;

namespace Recipes.Tests;

/// <summary>The step the generator writes, beside the authors' optimizer.</summary>
public sealed class EmittedTraceTests
{
    [Fact]
    public void The_emitted_recipe_perturbs_the_references_tensors_at_its_losses()
    {
        string folder = Path.Combine(Golden.Folder, "traces", "flatpo_adamw");
        JsonElement trace = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "trace.json"))).RootElement;
        using TraceOpt recipe = TraceOpt.Load(Golden.Backbone("opt"), Devices.Cpu);
        recipe.LoadAdapter(Path.Combine(folder, "initial"));
        TrainingReport report = recipe.Train(InShuffledPlaces(Rows(folder)));

        Assert.Equal(trace.GetProperty("first_loss").GetArrayLength(), report.Steps.Count);
        foreach (StepRecord step in report.Steps)
        {
            Assert.Equal(trace.GetProperty("first_loss")[step.Step].GetDouble(), step.Loss, 1e-5);
            Assert.Equal(trace.GetProperty("second_loss")[step.Step].GetDouble(), step.PerturbedLoss!.Value, 1e-5);
            Assert.Equal(trace.GetProperty("perturbed")[step.Step].EnumerateArray().Select(name => name.GetString()), step.Perturbed.Select(InPeft));
        }
    }

    private static TokenExample[] Rows(string folder)
    {
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(folder, "case.safetensors"));
        Tensor batches = file.Read("batches"); // [steps, rows, T]
        int length = (int)batches.size(2);
        return [.. batches.reshape(-1).data<long>().ToArray().Select(id => (int)id).Chunk(length).Select(ids => new TokenExample(ids))];
    }

    /// <summary>The rows where the loop's shuffle will pick them up in their own order.</summary>
    private static TokenExample[] InShuffledPlaces(TokenExample[] rows)
    {
        int[] order = RunSeed.Shuffle(rows.Length, seed: 0, epoch: 0);
        TokenExample[] places = new TokenExample[rows.Length];
        for (int i = 0; i < rows.Length; i++)
            places[order[i]] = rows[i];
        return places;
    }

    private static string InPeft(string name) => $"base_model.model.{name[..^".weight".Length]}.default.weight";
}
