using System.Text;
using FlatPO.Recipes.Checkpoints;

namespace FlatPO.Recipes.Tests.Checkpoints;

public sealed class ModelConfigReading
{
    [Fact]
    public void Values_are_typed()
    {
        ModelConfig config = Parse("""{"model_type":"llama","n":3,"x":1e-5,"on":true,"inner":{"deep":{"n":4}},"nothing":null,"architectures":["A","B"],"pair":[4,5]}""");

        Assert.Equal("llama", config.ModelType);
        Assert.Equal(3, config.Int("n"));
        Assert.Equal(1e-5, config.Number("x"));
        Assert.True(config.Flag("on"));
        Assert.Equal(4, config.Int("inner.deep.n"));
        Assert.Equal(9, config.Int("nothing", 9));
        Assert.False(config.Has("nothing"));
        Assert.Equal(["A", "B"], config.Architectures);
        Assert.Equal((4, 5), config.Extent("pair"));
        Assert.Equal((3, 3), config.Extent("n"));
    }

    [Fact]
    public void A_missing_key_names_file_and_key() => AssertRefused("{}", config => config.Int("hidden_size"), "has no key 'hidden_size'");

    [Fact]
    public void Null_is_missing() => AssertRefused("""{"hidden_size":null}""", config => config.Int("hidden_size"), "has no key 'hidden_size'");

    [Fact]
    public void A_value_of_another_type_names_what_was_found_and_expected() =>
        AssertRefused("""{"hidden_size":"many"}""", config => config.Int("hidden_size", 3), "'hidden_size' is \"many\"; expected a whole number");

    [Fact]
    public void A_fraction_is_no_whole_number() => AssertRefused("""{"n":2.5}""", config => config.Int("n"), "'n' is 2.5; expected a whole number");

    [Fact]
    public void A_size_is_larger_than_zero() => AssertRefused("""{"n":0}""", config => config.Size("n"), "'n' is 0; expected a whole number larger than 0");

    [Fact]
    public void A_flag_is_true_or_false() => AssertRefused("""{"b":1}""", config => config.Flag("b"), "'b' is 1; expected true or false");

    [Theory]
    [InlineData("{", "not valid JSON")]
    [InlineData("[]", "expected an object")]
    public void What_is_no_json_object_is_refused(string json, string words) => AssertRefused(json, config => config.Int("n"), words);

    [Theory]
    [InlineData("""{"id2label":{"0":"a","1":"b","2":"c"},"num_labels":7}""", 3)]
    [InlineData("""{"num_labels":7}""", 7)]
    [InlineData("{}", 2)]
    public void Labels_are_counted_as_transformers_counts_them(string json, long labels) => Assert.Equal(labels, Parse(json).Labels);

    [Theory]
    [InlineData("{}", "default", 10000, 1)]
    [InlineData("""{"rope_theta":500000.0,"rope_scaling":null}""", "default", 500000, 1)]
    [InlineData("""{"rope_theta":20000,"rope_scaling":{"type":"linear","factor":4}}""", "linear", 20000, 4)]
    [InlineData("""{"rope_parameters":{"rope_theta":7,"rope_type":"linear","factor":2.0}}""", "linear", 7, 2)]
    [InlineData("""{"rope_theta":500000,"rope_scaling":{"rope_type":"llama3","factor":8,"low_freq_factor":1,"high_freq_factor":4,"original_max_position_embeddings":64},"max_position_embeddings":9}""", "llama3", 500000, 8)]
    [InlineData("""{"rope_theta":1000000,"rope_scaling":{"type":"mrope","mrope_section":[16,24,24]}}""", "default", 1000000, 1)]
    public void Rotary_settings_are_read_in_old_and_new_spellings(string json, string kind, double theta, double factor)
    {
        RopeSettings settings = RopeSettings.Of(Parse(json));

        Assert.Equal((kind, theta, factor), (settings.Kind, settings.Theta, settings.Factor));
    }

    [Fact]
    public void A_list_of_whole_numbers_is_read_or_refused()
    {
        ModelConfig config = Parse("""{"sections":[16,24,24],"none":null,"mixed":[1,"2"],"one":3}""");
        Assert.Equal([16, 24, 24], config.IntList("sections"));
        Assert.Empty(config.IntList("none"));
        Assert.Equal("FPO4006", Assert.Throws<RecipeException>(() => config.IntList("mixed")).Id);
        Assert.Equal("FPO4006", Assert.Throws<RecipeException>(() => config.IntList("one")).Id);
    }

    [Fact]
    public void An_unknown_rotary_kind_lists_the_known_ones() =>
        AssertRefused("""{"rope_scaling":{"rope_type":"longrope","factor":4}}""", config => RopeSettings.Of(config), "'rope_scaling.rope_type' is \"longrope\"; expected default, linear, dynamic, llama3, yarn or mrope");

    [Theory]
    [InlineData("""{"rope_scaling":{"type":"yarn","factor":4,"original_max_position_embeddings":32},"max_position_embeddings":9}""", 4, 32, 1.1386294361119891)]
    [InlineData("""{"rope_parameters":{"rope_type":"yarn","original_max_position_embeddings":32},"max_position_embeddings":64}""", 2, 32, 1.0693147180559945)]
    [InlineData("""{"rope_parameters":{"rope_type":"yarn","factor":2,"attention_factor":1.5},"max_position_embeddings":64}""", 2, 64, 1.5)]
    [InlineData("""{"rope_scaling":{"type":"dynamic","factor":2.0},"max_position_embeddings":64}""", 2, 64, 1)]
    public void Stretched_contexts_are_read_with_what_they_leave_out(string json, double factor, double original, double attention)
    {
        RopeSettings settings = RopeSettings.Of(Parse(json));

        Assert.Equal((factor, original), (settings.Factor, settings.OriginalContext));
        Assert.Equal(attention, settings.AttentionFactor, 12);
    }

    private static ModelConfig Parse(string json) => ModelConfig.Parse("some/config.json", Encoding.UTF8.GetBytes(json));

    private static void AssertRefused(string json, Action<ModelConfig> read, string words)
    {
        var error = Assert.Throws<RecipeException>(() => read(Parse(json)));
        Assert.Equal("FPO4006", error.Id);
        Assert.Contains("some/config.json", error.Message);
        Assert.Contains(words, error.Message);
    }
}
