namespace FlatPO.Recipes;

/// <summary>
/// The pretrained network a recipe adapts: a folder in Hugging Face layout whose <c>config.json</c> the project shows to the compiler
/// (<c>&lt;FlatPOBackbone Include="models/my-vit/config.json" /&gt;</c>), or the id of a well-known model, for example <c>"Qwen/Qwen2.5-1.5B"</c>.
/// </summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class BackboneAttribute(string name) : Attribute
{
    /// <summary>The folder or model id.</summary>
    public string Name { get; } = name;
}
