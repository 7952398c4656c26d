using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Tests.Model;

public sealed class LayerRangeTests
{
    [Theory]
    [InlineData("..", 0, 12)]
    [InlineData("8..12", 8, 12)]
    [InlineData("..4", 0, 4)]
    [InlineData("^4..", 8, 12)]
    [InlineData("^4..^2", 8, 10)]
    [InlineData(" 1 .. 2 ", 1, 2)]
    public void Ranges_of_twelve_layers(string text, int start, int end)
    {
        LayerRange range = LayerRange.Parse(text)!;
        Assert.Equal((start, end), (range.Start.In(12), range.End.In(12)));
    }

    [Theory]
    [InlineData("40..50", "2..12")]
    [InlineData("8..16", "4..12")]
    [InlineData("^20..^16", "0..4")]
    [InlineData("..99", "..")]
    [InlineData("9..3", "..")]
    public void A_range_moves_into_twelve_layers(string text, string moved) => Assert.Equal(moved, LayerRange.Parse(text)!.MovedInto(12));

    [Theory]
    [InlineData("")]
    [InlineData("4")]
    [InlineData("1-3")]
    [InlineData("a..b")]
    [InlineData("1..2..3")]
    [InlineData("-1..2")]
    [InlineData("99999999999..")]
    public void What_is_no_range(string text) => Assert.Null(LayerRange.Parse(text));
}
