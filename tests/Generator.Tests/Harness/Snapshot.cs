namespace FlatPO.Recipes.Generator.Tests.Harness;

/// <summary>
/// Compares text with a committed file, by Verify's convention: <c>Name.verified.cs</c> is right, <c>Name.received.cs</c> beside it is what came instead.
/// Moving to Verify is a change of this file.
/// </summary>
internal static class Snapshot
{
    internal static void Verify(string name, string received)
    {
        string folder = Repository.PathOf("tests/Generator.Tests/Snapshots");
        string verifiedPath = Path.Combine(folder, $"{name}.verified.cs"), receivedPath = Path.Combine(folder, $"{name}.received.cs");
        string verified = File.Exists(verifiedPath) ? File.ReadAllText(verifiedPath).ReplaceLineEndings("\n") : "";
        if (verified == received)
        {
            File.Delete(receivedPath);
            return;
        }
        File.WriteAllText(receivedPath, received);
        Assert.Fail($"{name} is not as verified; if {receivedPath} is right, rename it to {name}.verified.cs\n{FirstDifference(verified, received)}");
    }

    private static string FirstDifference(string verified, string received)
    {
        string[] before = verified.Split('\n'), after = received.Split('\n');
        int line = 0;
        while (line < before.Length && line < after.Length && before[line] == after[line])
            line++;
        return $"line {line + 1}\n  verified: {before.ElementAtOrDefault(line)}\n  received: {after.ElementAtOrDefault(line)}";
    }
}
