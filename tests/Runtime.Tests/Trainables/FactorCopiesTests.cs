using FlatPO.Recipes.Native;
using FlatPO.Recipes.Trainables;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Trainables;

public sealed class FactorCopiesTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    // What a first pass makes between them must be free to go as a whole.
    [Fact]
    public void Copies_lie_together_whatever_is_made_between_them()
    {
        TrainableTensor[] matrices = [.. Enumerable.Range(0, 12).Select(i => new TrainableTensor($"a{i}", Sites.None, TrainableKind.Adapter, randn(3 + i, 5)))];
        using Arena arena = new(matrices, CPU);
        long[] addresses = [.. matrices.Select((matrix, i) =>
        {
            Tensor copy = i % 2 == 0 ? arena.Copies.Below([matrix], ScalarType.BFloat16) : arena.Copies.Beside(matrix, ScalarType.BFloat16);
            _ = randn(1000);
            Assert.Equal(2 * matrix.Count, copy.NumberOfElements);
            return ForeignMemory.Address(copy);
        })];
        Assert.All(addresses, address => Assert.Equal(0, address % 16)); // as kernels read them
        Assert.True(addresses.Zip(addresses.Skip(1)).Count(pair => pair.Second - pair.First is > 0 and <= 1024) >= addresses.Length - 4); // a few slabs
        using (no_grad())
            arena.Values.mul_(-1.5f);
        arena.Copies.Refresh();
        Assert.All(matrices, (matrix, i) => Assert.Equal(FactorCopies.Rounded(matrix.Value, ScalarType.BFloat16).Numbers(), Whole(arena, matrix, i)));
    }

    [Fact]
    public void The_same_matrices_at_other_places_are_another_copy()
    {
        TrainableTensor[] b = [.. Enumerable.Range(0, 2).Select(i => new TrainableTensor($"b{i}", Sites.None, TrainableKind.Adapter, randn(4, 2)))];
        using Arena arena = new(b, CPU);
        Tensor near = arena.Copies.Diagonal([(0, b[0]), (4, b[1])], 12, ScalarType.BFloat16), far = arena.Copies.Diagonal([(0, b[0]), (8, b[1])], 12, ScalarType.BFloat16);
        Assert.Equal(ForeignMemory.Address(near), ForeignMemory.Address(arena.Copies.Diagonal([(0, b[0]), (4, b[1])], 12, ScalarType.BFloat16)));
        Assert.Equal(near.narrow(0, 4, 4).to_type(ScalarType.Float32).Numbers(), far.narrow(0, 8, 4).to_type(ScalarType.Float32).Numbers());
        Assert.All(far.narrow(0, 4, 4).to_type(ScalarType.Float32).Numbers(), number => Assert.Equal(0, number));
    }

    public void Dispose() => scope.Dispose();

    private static float[] Whole(Arena arena, TrainableTensor matrix, int i)
    {
        Tensor copy = i % 2 == 0 ? arena.Copies.Below([matrix], ScalarType.BFloat16) : arena.Copies.Beside(matrix, ScalarType.BFloat16);
        Tensor[] halves = copy.to_type(ScalarType.Float32).chunk(2, i % 2);
        return halves[0].add(halves[1], 1).Numbers();
    }
}
