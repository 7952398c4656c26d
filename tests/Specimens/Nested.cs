using FlatPO.Recipes;

namespace Specimens.Nesting;

/// <summary>Recipes may be generic and nested; names of the library may mean other things here.</summary>
public partial class Outer<TKey>
{
    /// <summary>Not the library's.</summary>
    public sealed class Arena;

    internal partial interface IHolder
    {
        [Recipe(TaskType.CausalLM)]
        [Backbone("Golden/backbones/opt")]
        [Lora(Rank = 2)]
        [FlatPO]
        [AdamW]
        internal partial class Inner<TValue>
            where TValue : class;
    }
}

/// <summary>Not the library's either.</summary>
public sealed class Tensor;
