using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Tests.Model;

public sealed class SizeExpressionTests
{
    private static readonly Dictionary<string, double> Keys = new() { ["hidden_size"] = 48, ["num_attention_heads"] = 4, ["id2label.count"] = 5, ["vision.depth"] = 3, ["minimum"] = 7 };

    [Theory]
    [InlineData("hidden_size", 48)]
    [InlineData("3 * hidden_size + 1", 145)]
    [InlineData("1 + 2 * 3", 7)]
    [InlineData("(1 + 2) * 3", 9)]
    [InlineData("10 - 2 - 3", 5)]
    [InlineData("hidden_size / num_attention_heads", 12)]
    [InlineData("7 / 2", 3)]
    [InlineData("min(hidden_size, 16)", 16)]
    [InlineData("min(min(3, 2), hidden_size)", 2)]
    [InlineData("minimum", 7)]
    [InlineData("id2label.count ?? num_labels ?? 2", 5)]
    [InlineData("num_labels ?? classes ?? 2", 2)]
    [InlineData("num_attention_heads * (head_dim ?? hidden_size / num_attention_heads)", 48)]
    [InlineData("vision.depth", 3)]
    [InlineData("1", 1)]
    [InlineData("hidden_size == 48", 1)]
    [InlineData("(hidden_size != 48) * 7 + 1", 1)]
    [InlineData("2 * (hidden_size - 40 == num_attention_heads + 4)", 2)]
    public void Values(string expression, double expected) => Assert.Equal(new Size(expected, null, null), Evaluate(expression));

    [Theory]
    [InlineData("head_dim", "head_dim")]
    [InlineData("hidden_size * head_dim", "head_dim")]
    [InlineData("head_dim * (kv_heads ?? 1)", "head_dim")]
    [InlineData("head_dim ?? kv_heads", "head_dim")]
    public void A_missing_key_is_named(string expression, string key) => Assert.Equal(new Size(null, key, null), Evaluate(expression));

    [Theory]
    [InlineData("hidden_size +")]
    [InlineData("(hidden_size")]
    [InlineData("hidden_size)")]
    [InlineData("hidden_size hidden_size")]
    [InlineData("")]
    [InlineData("min(1)")]
    [InlineData("1 / 0")]
    [InlineData("#")]
    public void What_is_no_size_is_an_error(string expression) => Assert.NotNull(Evaluate(expression).Error);

    private static Size Evaluate(string expression) => SizeExpression.Evaluate(expression, key => Keys.TryGetValue(key, out double value) ? value : null);
}
