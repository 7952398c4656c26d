using FlatPO.Recipes.Optimization;

namespace FlatPO.Recipes;

/// <summary>Warm-up, then a half cosine down to 0 (transformers' <c>get_cosine_schedule_with_warmup</c>).</summary>
[RealizedBy(typeof(CosineSchedule))]
public sealed class CosineScheduleAttribute : ScheduleAttribute;

/// <summary>Warm-up, then a straight line down to 0 (transformers' <c>get_linear_schedule_with_warmup</c>).</summary>
[RealizedBy(typeof(LinearSchedule))]
public sealed class LinearScheduleAttribute : ScheduleAttribute;

/// <summary>Warm-up, then the learning rate as it is; what a recipe without a schedule uses, without warm-up.</summary>
[RealizedBy(typeof(ConstantSchedule))]
public sealed class ConstantScheduleAttribute : ScheduleAttribute;
