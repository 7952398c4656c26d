using FlatPO.Recipes.Generator.Model;
using Scriban.Runtime;

namespace FlatPO.Recipes.Generator.Emission;

/// <summary>Loading, training, measuring, saving.</summary>
internal static class RunSection
{
    /// <summary>What the training loop takes from the settings.</summary>
    private static readonly string[] LoopSettings = ["Epochs", "BatchSize", "GradientAccumulation", "Seed", "MaxLength", "Checkpointing"];

    /// <summary>What the evaluator takes from them.</summary>
    private static readonly string[] EvaluatorSettings = ["BatchSize", "MaxLength"];

    public static string Render(PlannedRecipe planned, Vocabulary vocabulary) => Render(planned.Recipe, planned.Plan, vocabulary);

    private static string Render(RecipeModel recipe, PlanModel plan, Vocabulary vocabulary) => Templates.Render("run", vocabulary, new ScriptObject
    {
        ["cannot_merge"] = plan.CannotMerge,
        ["name"] = recipe.Shell.Name,
        ["self"] = recipe.Shell.Self,
        ["backbone"] = vocabulary.Word(recipe.Backbone.Type),
        ["base_model"] = Literal.Of(recipe.Backbone.Name),
        ["ranking"] = recipe.Sharpness is not null,
        ["pixel_budget"] = recipe.Task.ReadsImageTokens,
        ["scope"] = recipe.Sharpness?.Annotation.Find("Scope") is { Value: { } scope } property ? Literal.Of(scope, property, vocabulary.Word) : null,
        ["scope_comment"] = recipe.Sharpness?.Annotation.Number("Scope") == 0 ? " // no scope was named: every adapter tensor is in it" : "",
        ["compiled_for"] = string.Join(", ", recipe.Backbone.Shape.Select(fact => $"({Literal.Of(fact.Key)}, {Literal.Of(fact.Value)})").Prepend(Literal.Of(recipe.Backbone.ModelType))),
        ["precision"] = recipe.Training?.Find("Precision") is { Value: { } precision } format ? Literal.Of(precision, format, vocabulary.Word) : null,
        ["example"] = vocabulary.Runtime(recipe.Task.Example),
        ["recipe_interface"] = vocabulary.GenericWord(RuntimeTypes.RecipeInterface),
        ["batch"] = vocabulary.Runtime(recipe.Task.Batch),
        ["optimizer"] = Indent.Rest(Construction.New($"{vocabulary.Word(recipe.Optimizer.Realization!.Type)}(arena)", recipe.Optimizer.Passed, recipe.Settings, vocabulary), 4),
        ["schedule"] = Indent.Rest(Schedule(recipe, vocabulary), 4),
        ["prediction"] = recipe.Task.Prediction,
        ["prompt"] = recipe.Task.Prompt is { } prompt ? RuntimeTypes.FullNames.ContainsKey(prompt) ? vocabulary.Runtime(prompt) : prompt : null,
        ["loop"] = FromSettings("()", LoopSettings, recipe, vocabulary, Planned(plan.Memory)),
        ["evaluator"] = FromSettings("(placement, arena)", EvaluatorSettings, recipe, vocabulary),
    });

    private static string Schedule(RecipeModel recipe, Vocabulary vocabulary) => recipe.Schedule is { Realization: { } realized } schedule
        ? Construction.New(vocabulary.Word(realized.Type), schedule.Passed, recipe.Settings, vocabulary)
        : $"new {vocabulary.Runtime("ConstantSchedule")}()";

    /// <summary>A target-typed <c>new(…) { Epochs = run.Epochs }</c> of the training settings that <paramref name="names"/> lists.</summary>
    private static string FromSettings(string arguments, string[] names, RecipeModel recipe, Vocabulary vocabulary, params string[] further) =>
        Construction.New(arguments, recipe.Training?.Properties.Where(property => names.Contains(property.Name)) ?? [], recipe.Settings, vocabulary, further);

    /// <summary>What a run says of the plan where memory runs out.</summary>
    private static string Planned(MemoryModel memory) =>
        $"Planned = new(Rows: {Literal.Of(memory.BatchSize)}, Length: {Literal.Of(memory.Length)}, Plan.WeightBytes, Plan.ActivationBytes + Plan.LogitBytes, Plan.MemoryBytes)"
        + (memory.Recomputable > 0 ? $" {{ Recomputable = {Literal.Grouped(memory.Recomputable)} }}" : "");
}
