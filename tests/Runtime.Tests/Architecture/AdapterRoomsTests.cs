using System.Text.RegularExpressions;

namespace FlatPO.Recipes.Tests.Architecture;

/// <summary>The arrows between the rooms of Adapters, as docs/architecture.md draws them. What users write keeps their namespace in whatever room it is: types are found by name.</summary>
public sealed partial class AdapterRoomsTests
{
    private const string Root = "its root";
    private const string Methods = "a method's room";

    /// <summary>Which rooms a room may use, each above those it uses; a method may not use another.</summary>
    private static readonly (string Room, string[] Uses)[] Allowed =
    [
        ("Config", []),
        (Root, ["Config"]),
        ("VirtualTokens", ["Config", Root]),
        (Methods, ["Config", Root, "VirtualTokens"]),
        ("Merging", [Root]),
        ("Peft", ["Config", Root, Methods]),
        ("Collections", [Root, Methods, "Peft"]),
    ];

    private static readonly string Adapters = Path.Combine(Golden.Repository, "src", "Runtime", "Adapters");

    private static readonly (string Folder, string File, string Code)[] Files =
        [.. Directory.EnumerateFiles(Adapters, "*.cs", SearchOption.AllDirectories).Select(file => (FolderOf(file), file, Comment().Replace(File.ReadAllText(file), "")))];

    /// <summary>The folder that declares a type, by the type's name.</summary>
    private static readonly Dictionary<string, string> Declaring = Files.SelectMany(file => Declaration().Matches(file.Code).Select(type => (Name: type.Groups[1].Value, file.Folder)))
        .DistinctBy(type => type.Name).ToDictionary(type => type.Name, type => type.Folder);

    public static TheoryData<string> Folders => [.. Files.Select(file => file.Folder).Distinct()];

    [Theory, MemberData(nameof(Folders))]
    public void A_room_uses_only_the_rooms_below_it(string folder)
    {
        string room = RoomOf(folder);
        string[] uses = Allowed.FirstOrDefault(row => row.Room == room).Uses ?? throw new InvalidOperationException($"{folder} is a new room: say here and in docs/architecture.md what it may use");
        foreach ((_, string file, string code) in Files.Where(file => file.Folder == folder))
            foreach (string type in Word().Matches(code).Select(word => word.Value).Distinct().Where(Declaring.ContainsKey))
                Assert.True(Declaring[type] == folder || uses.Contains(RoomOf(Declaring[type])), $"{Path.GetRelativePath(Adapters, file)} uses {type} of {Declaring[type]}");
    }

    [Fact]
    public void No_room_draws_a_circle_with_another()
    {
        for (int i = 0; i < Allowed.Length; i++)
            Assert.All(Allowed[i].Uses, used => Assert.Contains(used, Allowed.Take(i).Select(row => row.Room)));
    }

    private static string FolderOf(string file) => Path.GetDirectoryName(Path.GetRelativePath(Adapters, file)) is { Length: > 0 } folder ? folder : Root;

    /// <summary>A method's folder is named as its method.</summary>
    private static string RoomOf(string folder) => File.Exists(Path.Combine(Adapters, folder, $"{folder}Method.cs")) ? Methods : folder;

    [GeneratedRegex(@"^(?:public|internal) (?:\w+ )*?(?:class|record|interface|enum|struct) (\w+)", RegexOptions.Multiline)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"\w+")]
    private static partial Regex Word();

    [GeneratedRegex("//.*")]
    private static partial Regex Comment();
}
