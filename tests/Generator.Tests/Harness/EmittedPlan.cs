using System.Globalization;
using System.Text.RegularExpressions;

namespace FlatPO.Recipes.Generator.Tests.Harness;

/// <summary>The constants of the plan that is emitted for a small recipe on a golden backbone, or on a published one by its id.</summary>
internal sealed class EmittedPlan(string task, string backbone, string attributes)
{
    private readonly string text =
        Project.Of($"using FlatPO.Recipes;\n[Recipe(TaskType.{task})]\n[Backbone(\"{(backbone.Contains('/', StringComparison.Ordinal) ? backbone : $"Golden/backbones/{backbone}")}\")]\n{attributes}\n[AdamW]\npublic partial class R;").Generate().Text;

    internal long this[string name] => long.Parse(Regex.Match(text, $@"{name} = ([\d_]+)(?:;| }})").Groups[1].Value.Replace("_", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
}
