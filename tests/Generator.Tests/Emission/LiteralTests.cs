using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Tests.Emission;

public sealed class LiteralTests
{
    [Theory]
    [InlineData(0, "0")]
    [InlineData(8, "8")]
    [InlineData(0.05, "0.05")]
    [InlineData(1e-4, "0.0001")]
    [InlineData(1e-5, "1e-5")]
    [InlineData(1e-8, "1e-8")]
    [InlineData(2.5e-7, "2.5e-7")]
    [InlineData(-0.5, "-0.5")]
    [InlineData(0.30000000000000004, "0.30000000000000004")]
    [InlineData(1e20, "1e20")]
    public void Numbers_are_exact_and_readable(double value, string expected)
    {
        Assert.Equal(expected, Literal.Of(value));
        Assert.Equal(value, double.Parse(Literal.Of(value), System.Globalization.CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData(16, "16")]
    [InlineData(6144, "6_144")]
    [InlineData(1552946688, "1_552_946_688")]
    public void Long_constants_are_grouped(long value, string expected) => Assert.Equal(expected, Literal.Grouped(value));

    [Fact]
    public void Texts_are_escaped() => Assert.Equal("\"a\\\"b\\\\c\\u000a\"", Literal.Of("a\"b\\c\n"));
}
