using FlatPO.Recipes.Generator.Model;
using FlatPO.Recipes.Generator.Tests.Harness;

namespace FlatPO.Recipes.Generator.Tests.Model;

public sealed class RolesTests
{
    private static readonly EquatableArray<EnumMember> Members = [.. Enum.GetValues<Sites>().Select(site => new EnumMember($"{site}", (long)site))];

    [Theory]
    [InlineData(Sites.Query | Sites.Head, Sites.None)]
    [InlineData(Sites.AllLinear | Sites.Head, Sites.AllLinear)]
    [InlineData(Sites.FeedForward | Sites.Query, Sites.FeedForward)]
    public void Named_unions_are_told_from_roles_named_one_by_one(Sites written, Sites unions) => Assert.Equal((long)unions, Roles.InNamedUnions((long)written, Members));

    [Fact]
    public void A_union_beside_a_single_role_means_what_there_is()
    {
        const string Source = "using FlatPO.Recipes;\n[Recipe(TaskType.CausalLM)]\n[Backbone(\"facebook/opt-125m\")]\n[Lora(Sites = Sites.AllLinear | Sites.Head)]\n[AdamW]\npublic partial class R;";
        Assert.DoesNotContain(Project.Of(Source).Analyze(), finding => finding.Id == "FPO1009");
    }
}
