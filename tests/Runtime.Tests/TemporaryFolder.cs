namespace FlatPO.Recipes.Tests;

/// <summary>A folder that is gone when the test is over.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    internal string Path { get; } = Directory.CreateTempSubdirectory("flatpo-").FullName;

    internal string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Puts a copy of every file of another folder here.</summary>
    internal TemporaryFolder With(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder))
            System.IO.File.Copy(file, File(System.IO.Path.GetFileName(file)));
        return this;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
