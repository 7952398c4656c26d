using FlatPO.Recipes.CodeFixes.Tests.Harness;

namespace FlatPO.Recipes.CodeFixes.Tests;

/// <summary><c>partial</c> stands where C# wants it: last of the modifiers.</summary>
public sealed class PartialFixTests
{
    private const string Attributes = "[Recipe(TaskType.CausalLM), Backbone(\"facebook/opt-125m\"), Lora, AdamW]";
    private static readonly PartialFix Fix = new();

    [Theory]
    [InlineData("public class R;", "public partial class R;")]
    [InlineData("class R\n{\n}", "partial class R\n{\n}")]
    [InlineData("/* a */ internal sealed /* b */ class R;", "/* a */ internal sealed /* b */ partial class R;")]
    public async Task A_recipe_becomes_partial(string before, string after)
    {
        Editor editor = Editor.Of($"using FlatPO.Recipes;\n{Attributes}\n{before}");
        Assert.Equal("Make 'R' partial", Assert.Single(await editor.Offered(Fix, "FPO0001")).Title);
        Editor cured = await editor.After(Fix, "FPO0001");
        Assert.Equal($"using FlatPO.Recipes;\n{Attributes}\n{after}", await cured.Text());
        Assert.Empty(cured.Ids);
    }

    [Fact]
    public async Task All_types_around_a_recipe_become_partial()
    {
        Editor editor = Editor.Of(Nested("public static class", "partial struct", "record struct"));
        Assert.Equal("Make 'A', 'C' partial", Assert.Single(await editor.Offered(Fix, "FPO0002")).Title);
        Editor cured = await editor.After(Fix, "FPO0002");
        Assert.Equal(Nested("public static partial class", "partial struct", "partial record struct"), await cured.Text());
        Assert.Empty(cured.Ids);

        static string Nested(string a, string b, string c) => $"using FlatPO.Recipes;\n{a} A {{ {b} B {{ {c} C {{ {Attributes} partial class R; }} }} }}";
    }

    [Fact]
    public async Task Nothing_is_offered_where_partial_does_not_help() =>
        Assert.Empty(await Editor.Of($"using FlatPO.Recipes;\n{Attributes}\npublic static partial class R;").Offered(Fix, "FPO0002"));

    [Fact]
    public async Task All_at_once()
    {
        Editor cured = await Editor.Of($"using FlatPO.Recipes;\n{Attributes}\nclass R;\n{Attributes}\npublic class S;").AfterAll(Fix, "FPO0001");
        Assert.Equal($"using FlatPO.Recipes;\n{Attributes}\npartial class R;\n{Attributes}\npublic partial class S;", await cured.Text());
        Assert.Empty(cured.Ids);
    }

    [Fact]
    public async Task Two_recipes_in_one_class_make_it_partial_once()
    {
        Editor cured = await Editor.Of($"using FlatPO.Recipes;\nclass A {{ {Attributes} partial class R; {Attributes} partial class S; }}").AfterAll(Fix, "FPO0002");
        Assert.Equal($"using FlatPO.Recipes;\npartial class A {{ {Attributes} partial class R; {Attributes} partial class S; }}", await cured.Text());
        Assert.Empty(cured.Ids);
    }
}
