using System.Collections.Concurrent;
using Scriban;
using Scriban.Runtime;

namespace FlatPO.Recipes.Generator.Emission;

/// <summary>The Scriban templates, one for each section of the emitted file.</summary>
internal static class Templates
{
    private static readonly ConcurrentDictionary<string, Template> Parsed = new();

    /// <summary>A section's text, with line feeds alone and no blank line at either end.</summary>
    public static string Render(string section, Vocabulary vocabulary, ScriptObject values)
    {
        TemplateContext context = new(new ScriptObject()) { StrictVariables = true, NewLine = "\n" };
        context.PushCulture(System.Globalization.CultureInfo.InvariantCulture);
        context.PushGlobal(vocabulary);
        context.PushGlobal(values);
        return Parsed.GetOrAdd(section, Load).Render(context).Replace("\r\n", "\n").Trim('\n');
    }

    private static Template Load(string section)
    {
        using Stream stream = typeof(Templates).Assembly.GetManifestResourceStream($"Templates/{section}.scriban")
            ?? throw new InvalidOperationException($"there is no template '{section}'");
        using StreamReader reader = new(stream);
        Template template = Template.Parse(reader.ReadToEnd().Replace("\r\n", "\n"), section);
        return template.HasErrors ? throw new InvalidOperationException(string.Join("; ", template.Messages)) : template;
    }
}
