namespace FlatPO.Recipes;

/// <summary>The towers of a backbone that reads and sees, by what they take in.</summary>
[Flags]
public enum Towers
{
    /// <summary>No choice: every tower the backbone has.</summary>
    None = 0,

    /// <summary>The tower that reads tokens (<c>language_model</c>, <c>text_model</c>).</summary>
    Language = 1 << 0,

    /// <summary>The tower that sees images (<c>visual</c>, <c>vision_model</c>).</summary>
    Vision = 1 << 1,

    /// <summary>Both, said outright.</summary>
    All = Language | Vision,
}
