using CsCheck;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Trainables;

public sealed class ArenaTests
{
    private static readonly Gen<int[]> Lengths = Gen.Int[1, 40].Array[1, 12];

    [Fact]
    public void Sums_by_tensor_are_the_sums_of_its_slice() => Lengths.Sample(lengths =>
    {
        using Arena arena = SmallArena.Of(lengths, seed: 1);
        float[] sums = arena.SumByTensor(arena.Gradient).Numbers();
        for (int i = 0; i < lengths.Length; i++)
            Assert.Equal(arena.Tensors[i].Gradient.Numbers().Sum(), sums[i], 1e-4);
    }, iter: 50);

    [Fact]
    public void Spreading_gives_every_element_its_tensors_number() => Lengths.Sample(lengths =>
    {
        using Arena arena = SmallArena.Of(lengths, seed: 2);
        float[] spread = arena.SpreadToElements(arange(lengths.Length, float32)).Numbers();
        Assert.Equal(lengths.SelectMany((length, i) => Enumerable.Repeat((float)i, length)), spread);
    }, iter: 50);

    [Fact]
    public void A_backward_through_live_tensors_lands_in_the_flat_gradient()
    {
        using Arena arena = SmallArena.Of([3, 2, 4], seed: 3);
        arena.ZeroGradient();
        using (arena.Bind())
        {
            arena.Tensors[1].Live.mul(5).sum().backward();
            arena.Tensors[2].Live.mul(2).sum().backward();
        }
        Assert.Equal([0, 0, 0, 5, 5, 2, 2, 2, 2], arena.Gradient.Numbers());
    }

    [Fact]
    public void Writing_to_a_value_changes_what_the_next_pass_sees()
    {
        using Arena arena = SmallArena.Of([3, 2], seed: 4);
        using (no_grad())
            arena.Tensors[1].Value.fill_(7);
        using (arena.Bind())
            Assert.Equal([7, 7], arena.Tensors[1].Live.Numbers());
    }

    [Fact]
    public void A_tensor_is_live_only_while_its_arena_is_bound()
    {
        using Arena arena = SmallArena.Of([3], seed: 5);
        using (arena.Bind())
            Assert.NotNull(arena.Tensors[0].Live);
        Assert.Throws<InvalidOperationException>(() => arena.Tensors[0].Live);
    }

    [Fact]
    public void Nothing_to_train_is_an_error()
    {
        RecipeException error = Assert.Throws<RecipeException>(() => new Arena([], CPU));
        Assert.Equal("FPO1008", error.Id);
    }
}
