using System.Reflection;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones;

/// <summary>Loads a backbone from a folder in Hugging Face layout.</summary>
public static class BackboneLoader
{
    /// <summary>
    /// Loads the class that <paramref name="build"/> makes. Throws FPO4005 unless config.json's <c>model_type</c> is the one the class declares, and what
    /// <see cref="Checkpoint.Open"/> and <see cref="WeightTable.Fill"/> throw.
    /// </summary>
    public static T Load<T>(string folder, Device device, Precision precision, Func<WeightTable, T> build)
        where T : Backbone
    {
        using Checkpoint checkpoint = Checkpoint.Open(folder);
        string found = checkpoint.Config.ModelType;
        if (typeof(T).GetCustomAttribute<BackboneFamilyAttribute>() is { } family && family.ModelType != found)
            throw new RecipeException("FPO4005", $"{checkpoint.Config.Path}: model_type is '{found}'; {typeof(T).Name} expects '{family.ModelType}'");
        return Build(checkpoint, device, precision, build);
    }

    /// <summary>Loads the class that declares config.json's <c>model_type</c>; throws FPO4005 with the known ones if none does.</summary>
    public static Backbone Load(string folder, Device device, Precision precision)
    {
        using Checkpoint checkpoint = Checkpoint.Open(folder);
        Type type = ClassFor(checkpoint.Config);
        return Build(checkpoint, device, precision, weights =>
            (Backbone)Activator.CreateInstance(type, BindingFlags.DoNotWrapExceptions, null, [weights], null)!);
    }

    private static T Build<T>(Checkpoint checkpoint, Device device, Precision precision, Func<WeightTable, T> build)
        where T : Backbone
    {
        WeightTable weights = new(checkpoint.Config, device, FormatOf(precision)) { Quantizes = precision == Precision.NF4 };
        try
        {
            T backbone = build(weights);
            weights.Fill(checkpoint);
            return backbone;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    private static ScalarType FormatOf(Precision precision) => precision switch
    {
        Precision.BFloat16 or Precision.NF4 => ScalarType.BFloat16,
        Precision.Float16 => ScalarType.Float16,
        _ => ScalarType.Float32,
    };

    // Several classes may share a model type (one a task): config.json's "architectures" then decides, as it names transformers' class.
    private static Type ClassFor(ModelConfig config)
    {
        (Type Type, string ModelType)[] known = [.. Declared()];
        Type[] matches = [.. known.Where(backbone => backbone.ModelType == config.ModelType).Select(backbone => backbone.Type)];
        if (matches.Length == 0)
            throw new RecipeException("FPO4005", $"{config.Path}: no backbone loads model_type '{config.ModelType}'; known are "
                + string.Join(", ", known.Select(backbone => $"'{backbone.ModelType}' ({backbone.Type.Name})").Order(StringComparer.Ordinal)));
        return matches.FirstOrDefault(type => config.Architectures.Contains(type.Name)) ?? matches[0];
    }

    private static IEnumerable<(Type Type, string ModelType)> Declared() =>
        from assembly in AppDomain.CurrentDomain.GetAssemblies()
        from declared in assembly.GetCustomAttributes<DeclaresBackboneAttribute>()
        let family = declared.Type.GetCustomAttribute<BackboneFamilyAttribute>()
        where family is not null
        select (declared.Type, family.ModelType);
}
