namespace FlatPO.Recipes.Generator.Emission;

/// <summary>One generated file.</summary>
internal sealed record EmittedFile(string HintName, string Text);
