using CsCheck;
using FlatPO.Recipes.Backbones.Qwen25VL;

namespace FlatPO.Recipes.Tests.Backbones.Qwen25VL;

public sealed class PatchOrderTests
{
    private static readonly Gen<(PatchGrid[] Grids, int Merge, int Window)> Cases =
        Gen.Select(Gen.Select(Gen.Int[1, 2], Gen.Int[1, 9], Gen.Int[1, 9]).Array[1, 4], Gen.Int[1, 3], Gen.Int[1, 5])
            .Select(c => (c.Item1.Select(grid => new PatchGrid(grid.Item1, grid.Item2 * c.Item2, grid.Item3 * c.Item2)).ToArray(), c.Item2, c.Item3));

    [Fact]
    public void Sorting_into_windows_can_be_undone() => Cases.Sample(c =>
    {
        PatchOrder order = PatchOrder.Of(c.Grids, c.Merge, c.Window);
        long[] all = [.. Enumerable.Range(0, c.Grids.Sum(grid => grid.Count)).Select(i => (long)i)];
        Assert.Equal(all, order.Windowed.Order());
        Assert.Equal(all, order.Arriving.Select(place => order.Windowed[place]));
    });

    [Fact]
    public void A_window_is_all_patches_of_its_square_and_no_other() => Cases.Sample(c =>
    {
        PatchOrder order = PatchOrder.Of(c.Grids, c.Merge, c.Window);
        int side = c.Merge * c.Window;
        int[] frames = [.. c.Grids.SelectMany(grid => Enumerable.Repeat(grid.Height * grid.Width, grid.Frames)).SelectMany((patches, frame) => Enumerable.Repeat(frame, patches))];
        (int, long, long) SquareOf(long patch) => (frames[patch], order.Places[2 * patch] / side, order.Places[2 * patch + 1] / side);
        var squares = Enumerable.Range(0, frames.Length).GroupBy(patch => SquareOf(patch)).ToDictionary(square => square.Key, square => square.Count());
        Queue<long> windowed = new(order.Windowed);
        foreach (Segments windows in order.Windows)
            for (int window = 0; window < windows.Count; window++)
            {
                var square = SquareOf(windowed.Peek());
                Assert.Equal(windows.Length, squares[square]);
                for (int i = 0; i < windows.Length; i++)
                    Assert.Equal(square, SquareOf(windowed.Dequeue()));
            }
        Assert.Empty(windowed);
    });

    [Fact]
    public void Windows_of_one_size_lie_together() => Cases.Sample(c =>
    {
        PatchOrder order = PatchOrder.Of(c.Grids, c.Merge, c.Window);
        Assert.Equal(order.Windows.Count, order.Windows.Select(windows => windows.Length).Distinct().Count());
        Assert.Equal(c.Grids.Sum(grid => grid.Count), order.Images.Sum(images => images.Count * images.Length));
    });

    [Fact]
    public void Patches_of_a_token_lie_together()
    {
        PatchOrder order = PatchOrder.Of([new PatchGrid(1, 4, 4)], merge: 2, window: 8);
        Assert.Equal([(0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (0, 3), (1, 2), (1, 3)], order.Places.Chunk(2).Take(8).Select(place => ((int)place[0], (int)place[1])));
    }
}
