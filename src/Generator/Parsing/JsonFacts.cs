using System.Globalization;
using System.Text;
using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Parsing;

/// <summary>Reads JSON into flat facts. Its own reader, because a generator's dependencies load into the compiler.</summary>
internal sealed class JsonFacts
{
    private const int DeepestNesting = 64;
    private readonly string json;
    private readonly List<Fact> facts = [];
    private int at;

    private JsonFacts(string json) => this.json = json;

    /// <summary>The facts of a JSON object; throws <see cref="FormatException"/> with line and column.</summary>
    public static EquatableArray<Fact> Read(string json)
    {
        JsonFacts reader = new(json);
        reader.SkipSpace();
        if (reader.Peek() != '{')
            throw reader.Unexpected("an object");
        reader.Value("", depth: 0);
        reader.SkipSpace();
        if (reader.at < json.Length)
            throw reader.Unexpected("the end of the file");
        return [.. reader.facts];
    }

    private void Value(string key, int depth)
    {
        if (depth > DeepestNesting)
            throw Unexpected($"at most {DeepestNesting} levels");
        SkipSpace();
        switch (Peek())
        {
            case '{':
                Members(key, depth);
                break;
            case '[':
                Items(key, depth);
                break;
            case '"':
                Add(key, FactKind.Text, 0, Text());
                break;
            default:
                Word(key);
                break;
        }
    }

    private void Members(string key, int depth)
    {
        int count = 0;
        at++;
        while (!Close('}', count))
        {
            SkipSpace();
            if (Peek() != '"')
                throw Unexpected("a key");
            string name = Text();
            SkipSpace();
            Expect(':');
            Value(key.Length == 0 ? name : $"{key}.{name}", depth + 1);
            count++;
        }
        if (key.Length > 0)
            Add($"{key}.count", FactKind.Count, count, "");
    }

    private void Items(string key, int depth)
    {
        int count = 0;
        at++;
        while (!Close(']', count))
        {
            Value(string.Concat(key, ".", count.ToString(CultureInfo.InvariantCulture)), depth + 1);
            count++;
        }
        Add($"{key}.count", FactKind.Count, count, "");
    }

    private bool Close(char bracket, int read)
    {
        SkipSpace();
        if (Peek() == bracket)
        {
            at++;
            return true;
        }
        if (read > 0)
            Expect(',');
        return false;
    }

    private string Text()
    {
        StringBuilder text = new();
        for (at++; Peek() != '"'; at++)
        {
            if (Peek() < ' ')
                throw Unexpected("the end of a text");
            text.Append(Peek() == '\\' ? Escape() : Peek());
        }
        at++;
        return text.ToString();
    }

    private char Escape()
    {
        at++;
        switch (Peek())
        {
            case 'b': return '\b';
            case 'f': return '\f';
            case 'n': return '\n';
            case 'r': return '\r';
            case 't': return '\t';
            case 'u' when at + 4 < json.Length && int.TryParse(json.Substring(at + 1, 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out int code):
                at += 4;
                return (char)code;
            case '"' or '\\' or '/': return Peek();
            default: throw Unexpected("an escape");
        }
    }

    private void Word(string key)
    {
        int start = at;
        while (at < json.Length && (char.IsLetterOrDigit(json[at]) || json[at] is '+' or '-' or '.'))
            at++;
        string word = json.Substring(start, at - start);
        switch (word)
        {
            case "true": Add(key, FactKind.Boolean, 1, ""); break;
            case "false": Add(key, FactKind.Boolean, 0, ""); break;
            case "null": Add(key, FactKind.Null, 0, ""); break;
            case "NaN" or "Infinity" or "-Infinity": break; // what Python's json writes; no size is one
            default:
                if (!double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out double number))
                {
                    at = start;
                    throw Unexpected("a value");
                }
                Add(key, FactKind.Number, number, "");
                break;
        }
    }

    private void Add(string key, FactKind kind, double number, string text) => facts.Add(new Fact(key, kind, number, text));

    private void Expect(char character)
    {
        if (Peek() != character)
            throw Unexpected($"'{character}'");
        at++;
    }

    private char Peek() => at < json.Length ? json[at] : '\0';

    private void SkipSpace()
    {
        while (Peek() is ' ' or '\t' or '\r' or '\n' or '\uFEFF')
            at++;
    }

    private FormatException Unexpected(string wanted)
    {
        string before = json.Substring(0, Math.Min(at, json.Length));
        int line = before.Count(character => character == '\n') + 1;
        int column = before.Length - before.LastIndexOf('\n');
        string found = at < json.Length ? $"'{json[at]}'" : "the end of the file";
        return new FormatException(string.Format(CultureInfo.InvariantCulture, "line {0}, column {1}: {2} where {3} is expected", line, column, found, wanted));
    }
}
