namespace FlatPO.Recipes;

/// <summary>An adapter method and where it sits. A method is an attribute derived from this one and named <c>RealizedBy</c> its runtime class.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public abstract class AdapterAttribute : Attribute
{
    /// <summary>The sites adapted, by role; <see cref="Sites.Query"/> and <see cref="Sites.Value"/> unless said otherwise. A method with other usual sites overrides it with a <see cref="DefaultAttribute"/> of its own.</summary>
    [Default(Sites.Query | Sites.Value)]
    public virtual Sites Sites { get; set; } = Sites.Query | Sites.Value;

    /// <summary>
    /// The sites adapted, by module name as PEFT's <c>target_modules</c> spells them; replaces <see cref="Sites"/>. <c>*</c> stands for any text of a whole path:
    /// <c>"*.mlp.*"</c>.
    /// </summary>
    public string[] TargetModules { get; set; } = [];

    /// <summary>The towers whose sites are adapted, on a backbone that reads and sees; every tower unless given.</summary>
    [Default(Towers.None)]
    public Towers Towers { get; set; }

    /// <summary>The layers adapted, as a C# range: <c>"8..16"</c> is layers 8 to 15, <c>"..4"</c> the first four, <c>"^4.."</c> the last four. All unless given. With two towers, of each.</summary>
    [Default("..")]
    public string Layers { get; set; } = "..";

    /// <summary>Modules trained whole beside the adapters and saved with them, for example a new <c>classifier</c>.</summary>
    public string[] ModulesToSave { get; set; } = [];
}
