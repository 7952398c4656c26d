using FlatPO.Recipes.Generator.Model;
using FlatPO.Recipes.Generator.Parsing;

namespace FlatPO.Recipes.Generator.Tests.Parsing;

public sealed class JsonFactsTests
{
    [Fact]
    public void Values_are_flattened_and_lists_counted()
    {
        ConfigFacts facts = new("config.json", JsonFacts.Read("""
            { "a": 1.5e1, "b": true, "c": null, "d": "x\u0041\n\"", "e": { "f": -2, "g": { } }, "h": [1, [2, 3], "y"], "n": NaN }
            """), null);
        Assert.Equal(15, facts.Find("a")!.Number);
        Assert.Equal(1, facts.Find("b")!.Number);
        Assert.Null(facts.Find("c"));
        Assert.Equal("xA\n\"", facts.Find("d")!.Text);
        Assert.Equal(-2, facts.Find("e.f")!.Number);
        Assert.Equal(2, facts.Find("e.count")!.Number);
        Assert.Equal(0, facts.Find("e.g.count")!.Number);
        Assert.Equal(3, facts.Find("h.count")!.Number);
        Assert.Equal(2, facts.Find("h.1.count")!.Number);
    }

    [Theory]
    [InlineData("", "line 1, column 1: the end of the file where an object is expected")]
    [InlineData("[1]", "line 1, column 1: '[' where an object is expected")]
    [InlineData("{\n  \"a\": }", "line 2, column 8: '}' where a value is expected")]
    [InlineData("{ \"a\": 1, }", "line 1, column 11: '}' where a key is expected")]
    [InlineData("{ \"a\": 1 \"b\": 2 }", "line 1, column 10: '\"' where ',' is expected")]
    [InlineData("{ \"a\": 1 } x", "line 1, column 12: 'x' where the end of the file is expected")]
    [InlineData("{ \"a\": \"b", "line 1, column 10: the end of the file where the end of a text is expected")]
    public void What_is_wrong_is_found_by_line_and_column(string json, string message) =>
        Assert.Equal(message, Assert.Throws<FormatException>(() => JsonFacts.Read(json)).Message);

    [Fact]
    public void Depth_is_bounded() => Assert.Throws<FormatException>(() => JsonFacts.Read($"{{ \"a\": {new string('[', 100_000)}"));
}
