using Benchmarks;
using FlatPO.Recipes;
using Images = Step.Method<FlatPO.Recipes.MultimodalExample>;
using Texts = Step.Method<FlatPO.Recipes.TokenExample>;

namespace Step;

/// <summary>The peer's cases.</summary>
internal static class Cases
{
    internal static ICase[] All { get; } =
    [
        new Case<TokenExample>("qwen2.5-1.5b", "Qwen/Qwen2.5-1.5B", [new(1, 512), new(8, 512)],
        [
            Texts.Of("adamw", 1, folder => QwenAdamW.Load(folder), (recipe, run) => recipe.Train(run.Examples, run.Clock, s => s with { BatchSize = run.Shape.Rows, MaxLength = run.Shape.Tokens, Checkpointing = run.Checkpointing })),
            Texts.Of("sam", 2, folder => QwenSam.Load(folder), (recipe, run) => recipe.Train(run.Examples, run.Clock, s => s with { BatchSize = run.Shape.Rows, MaxLength = run.Shape.Tokens, Checkpointing = run.Checkpointing })),
            Texts.Of("flatpo", 2, folder => QwenFlatPO.Load(folder), (recipe, run) => recipe.Train(run.Examples, run.Clock, s => s with { BatchSize = run.Shape.Rows, MaxLength = run.Shape.Tokens, Checkpointing = run.Checkpointing })),
        ])
        { Make = Samples.Texts, WorkOf = Work.Of, Trained = (QwenFlatPO.Plan.TrainableParameters, QwenFlatPO.Plan.TrainableTensors) },

        new Case<TokenExample>("opt-1.3b", "facebook/opt-1.3b", [new(16, 64), new(16, 256)],
        [
            Texts.Of("adamw", 1, folder => OptAdamW.Load(folder), (recipe, run) => recipe.Train(run.Examples, run.Clock, s => s with { BatchSize = run.Shape.Rows, MaxLength = run.Shape.Tokens, Checkpointing = run.Checkpointing })),
            Texts.Of("sam", 2, folder => OptSam.Load(folder), (recipe, run) => recipe.Train(run.Examples, run.Clock, s => s with { BatchSize = run.Shape.Rows, MaxLength = run.Shape.Tokens, Checkpointing = run.Checkpointing })),
            Texts.Of("flatpo", 2, folder => OptFlatPO.Load(folder), (recipe, run) => recipe.Train(run.Examples, run.Clock, s => s with { BatchSize = run.Shape.Rows, MaxLength = run.Shape.Tokens, Checkpointing = run.Checkpointing })),
        ])
        { Make = Samples.Texts, WorkOf = Work.Of, Trained = (OptFlatPO.Plan.TrainableParameters, OptFlatPO.Plan.TrainableTensors) },

        new Case<MultimodalExample>("qwen2.5-vl-3b", "Qwen/Qwen2.5-VL-3B-Instruct", [new(1, 512), new(4, 512)],
        [
            Images.Of("adamw", 1, folder => QwenVlAdamW.Load(folder), (recipe, run) => recipe.Train(run.Examples, run.Clock, s => s with { BatchSize = run.Shape.Rows, MaxLength = run.Shape.Tokens, Checkpointing = run.Checkpointing })),
            Images.Of("sam", 2, folder => QwenVlSam.Load(folder), (recipe, run) => recipe.Train(run.Examples, run.Clock, s => s with { BatchSize = run.Shape.Rows, MaxLength = run.Shape.Tokens, Checkpointing = run.Checkpointing })),
            Images.Of("flatpo", 2, folder => QwenVlFlatPO.Load(folder), (recipe, run) => recipe.Train(run.Examples, run.Clock, s => s with { BatchSize = run.Shape.Rows, MaxLength = run.Shape.Tokens, Checkpointing = run.Checkpointing })),
        ])
        { Make = Samples.Answers, WorkOf = Work.Of, Trained = (QwenVlFlatPO.Plan.TrainableParameters, QwenVlFlatPO.Plan.TrainableTensors) },
    ];
}
