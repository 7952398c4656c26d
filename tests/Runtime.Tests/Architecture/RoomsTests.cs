using System.Reflection;
using System.Text.RegularExpressions;

namespace FlatPO.Recipes.Tests.Architecture;

/// <summary>The arrows between the rooms of the runtime, as docs/architecture.md draws them.</summary>
public sealed partial class RoomsTests
{
    /// <summary>Which rooms a room may use. Annotations name runtime classes for the generator (<c>RealizedBy</c>) and hold no tensor.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["Native"] = [],
        ["Operations"] = ["Native"],
        ["Trainables"] = ["Native"],
        ["Sharpness"] = ["Native", "Trainables"],
        ["Optimization"] = ["Native", "Trainables"],
        ["Batches"] = ["Native"],
        ["Checkpoints"] = ["Native"],
        ["Backbones"] = ["Batches", "Checkpoints", "Native", "Operations", "Trainables"],
        ["Adapters"] = ["Backbones", "Checkpoints", "Native", "Operations", "Trainables"],
        ["Training"] = ["Adapters", "Backbones", "Batches", "Checkpoints", "Native", "Operations", "Optimization", "Sharpness", "Trainables"],
        ["Generation"] = ["Adapters", "Backbones", "Batches", "Checkpoints", "Native", "Trainables", "Training"],
        ["Annotations"] = ["Adapters", "Optimization"],
    };

    public static TheoryData<string> Rooms => [.. Directory.GetDirectories(Runtime).Select(room => Path.GetFileName(room)).Where(room => room is not ("bin" or "obj" or "build"))];

    private static string Runtime => Path.Combine(
        typeof(RoomsTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(entry => entry.Key == "GoldenFolder").Value!, "..", "..", "src", "Runtime");

    [Theory, MemberData(nameof(Rooms))]
    public void A_room_uses_only_the_rooms_below_it(string room)
    {
        Assert.True(Allowed.ContainsKey(room), $"{room} is a new room: say here and in docs/architecture.md what it may use");
        foreach (string file in Directory.EnumerateFiles(Path.Combine(Runtime, room), "*.cs", SearchOption.AllDirectories))
            foreach (Match used in UsedRoom().Matches(File.ReadAllText(file)))
                Assert.True(used.Groups[1].Value == room || Allowed[room].Contains(used.Groups[1].Value), $"{Path.GetRelativePath(Runtime, file)} uses {used.Groups[1].Value}");
    }

    [GeneratedRegex(@"^using (?:static )?FlatPO\.Recipes\.(\w+)", RegexOptions.Multiline)]
    private static partial Regex UsedRoom();
}
