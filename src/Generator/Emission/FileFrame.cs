using System.Text;
using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Emission;

/// <summary>What a file says.</summary>
/// <param name="Header">The comment at its top.</param>
/// <param name="Remarks">Documentation of the class, shown on hover; "" for none.</param>
/// <param name="Interfaces">What the class is said to be.</param>
/// <param name="Sections">The members, in reading order.</param>
internal sealed record FileParts(string Header, string Remarks, IReadOnlyList<string> Interfaces, IReadOnlyList<string> Sections);

/// <summary>What stands around the sections: namespace, alias block, the user's types reopened.</summary>
internal static class FileFrame
{
    private const string Tool = "FlatPO.Recipes.Generator";
    private static readonly string ToolVersion = typeof(FileFrame).Assembly.GetName().Version.ToString(3);

    public static string Wrap(FileParts parts, TypeShell shell, Vocabulary vocabulary)
    {
        string generatedCode = vocabulary.Runtime("GeneratedCodeAttribute");
        StringBuilder file = new();
        file.Append(parts.Header).Append("\n\n");
        if (shell.Namespace.Length > 0)
            file.Append($"namespace {shell.Namespace};\n\n");
        foreach (string imported in vocabulary.Imports)
            file.Append($"using global::{imported};\n");
        foreach (KeyValuePair<string, string> alias in vocabulary.Aliases)
            file.Append($"using {alias.Key} = {alias.Value};\n");
        file.Append('\n');
        string indent = "";
        foreach (ContainingType outer in shell.Containing)
        {
            file.Append($"{indent}partial {outer.Keyword} {outer.Name}\n{indent}{{\n");
            indent += "    ";
        }
        if (parts.Remarks.Length > 0)
            file.Append(Indent.All(parts.Remarks, indent)).Append('\n');
        file.Append($"{indent}[{TypeNames.WithoutAttribute(generatedCode)}({Literal.Of(Tool)}, {Literal.Of(ToolVersion)})]\n");
        file.Append($"{indent}partial class {shell.Self} : {string.Join(", ", parts.Interfaces)}\n{indent}{{\n");
        file.Append(string.Join("\n\n", parts.Sections.Select(section => Indent.All(section, indent + "    ")))).Append('\n');
        for (int depth = shell.Containing.Count; depth >= 0; depth--)
            file.Append(' ', depth * 4).Append("}\n");
        return file.ToString();
    }
}
