using System.IO.Enumeration;
using System.Text;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones;

/// <summary>
/// Compares what a backbone declares with what a checkpoint holds, before anything is loaded: one error (FPO4004) lists every missing tensor with its
/// nearest name, every tensor too many, every wrong shape and every number format that cannot be a weight.
/// </summary>
internal sealed class CheckpointMatch
{
    // A different model misses everything; names further down are listed without a suggestion, which costs a comparison with every other name.
    private const int Suggestions = 40;

    private static readonly ScalarType[] WeightFormats = [ScalarType.Float32, ScalarType.BFloat16, ScalarType.Float16, ScalarType.Float64];

    private readonly WeightTable table;
    private readonly Checkpoint checkpoint;
    private readonly bool bare;

    internal CheckpointMatch(WeightTable table, Checkpoint checkpoint)
    {
        (this.table, this.checkpoint) = (table, checkpoint);
        Packed = BitsAndBytes.Of(checkpoint);
        bare = table.BasePrefix is { } prefix && !checkpoint.Names.Any(name => name.StartsWith(prefix, StringComparison.Ordinal));
    }

    /// <summary>What the checkpoint holds in 4 bits.</summary>
    internal BitsAndBytes Packed { get; }

    /// <summary>The name a declared weight has in this checkpoint: one saved from the base model alone lacks the base model's prefix.</summary>
    internal string NameOf(Weight weight)
    {
        string name = bare && weight.Name.StartsWith(table.BasePrefix!, StringComparison.Ordinal) ? weight.Name[table.BasePrefix!.Length..] : weight.Name;
        return checkpoint.Find(name) is null && OldNameOf(name) is { } old && checkpoint.Find(old) is not null ? old : name;
    }

    /// <summary>Whether the checkpoint has nothing of a layer.</summary>
    internal bool Lacks(Projection layer) => layer.Weights.All(weight => checkpoint.Find(NameOf(weight)) is null);

    /// <summary>Throws unless the checkpoint holds exactly what the backbone declares.</summary>
    internal void Require()
    {
        HashSet<string> expected = [.. table.All.Except(table.Untrained.SelectMany(head => head.Weights)).Select(NameOf)];
        string[] missing = [.. expected.Where(name => checkpoint.Find(name) is null).Order(StringComparer.Ordinal)];
        string[] unexpected = [.. checkpoint.Names.Where(name => !expected.Contains(name) && !Ignored(name) && !Packed.IsPart(name)).Order(StringComparer.Ordinal)];
        StringBuilder findings = new();
        Append(findings, "missing", MissingLines(missing, unexpected));
        Append(findings, "unexpected", UnexpectedLines(unexpected, missing.Length > 0 ? missing : [.. expected]));
        Append(findings, "wrong shape", [.. ShapeLines()]);
        Append(findings, $"number format that cannot be a weight (allowed are {string.Join(", ", WeightFormats.Select(SafetensorsEntry.FormatOf))})", [.. FormatLines()]);
        if (findings.Length > 0)
            throw new RecipeException("FPO4004", $"the tensors of '{checkpoint.Folder}' do not match the {table.Config.ModelType} backbone that {ModelConfig.FileName} describes; nothing was loaded{findings}");
    }

    // The first BERT checkpoints came from TensorFlow, with its names for the two vectors of a layer norm.
    private static string? OldNameOf(string name) =>
        name.EndsWith("LayerNorm.weight", StringComparison.Ordinal) ? $"{name[..^"weight".Length]}gamma"
        : name.EndsWith("LayerNorm.bias", StringComparison.Ordinal) ? $"{name[..^"bias".Length]}beta"
        : null;

    private string[] MissingLines(string[] missing, string[] unexpected)
    {
        string[] candidates = unexpected.Length > 0 ? unexpected : [.. checkpoint.Names];
        return [.. missing.Select((name, i) => name + Nearest("; nearest in the checkpoint is", i, name, candidates))];
    }

    private string[] UnexpectedLines(string[] unexpected, string[] expected) => [.. unexpected.Select((name, i) =>
        $"{name} {Describe(checkpoint.Find(name)!)} in {Path.GetFileName(checkpoint.FileOf(name))}{Nearest("; nearest expected is", i, name, expected)}")];

    private static string Nearest(string words, int line, string name, string[] candidates) =>
        line < Suggestions && candidates.MinBy(candidate => Nearness.Distance(name, candidate)) is { } nearest ? $"{words} {nearest}" : "";

    private IEnumerable<string> ShapeLines() =>
        from weight in table.All
        let found = checkpoint.Find(NameOf(weight))
        where found is not null
        let shape = Packed.Find(found.Name)?.Shape ?? found.Shape
        where !shape.SequenceEqual(weight.Shape)
        select $"{found.Name} in {Path.GetFileName(checkpoint.FileOf(found.Name))}: expected [{string.Join(", ", weight.Shape)}], found [{string.Join(", ", shape)}]";

    private IEnumerable<string> FormatLines() =>
        from weight in table.All
        let found = checkpoint.Find(NameOf(weight))
        where found is not null && Packed.Find(found.Name) is null && !(found.Dtype is { } dtype && WeightFormats.Contains(dtype))
        select $"{found.Name} in {Path.GetFileName(checkpoint.FileOf(found.Name))}: found {found.Format}";

    private bool Ignored(string name) => table.IgnoredNames.Any(pattern =>
        FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false)
        || (bare && FileSystemName.MatchesSimpleExpression(pattern, table.BasePrefix + name, ignoreCase: false)));

    private static void Append(StringBuilder findings, string title, string[] lines)
    {
        if (lines.Length > 0)
            findings.Append(System.Globalization.CultureInfo.InvariantCulture, $"\n  {title}: {lines.Length}").AppendJoin("", lines.Select(line => $"\n    {line}"));
    }

    private static string Describe(SafetensorsEntry entry) => $"{entry.Format}[{string.Join(", ", entry.Shape)}]";
}
