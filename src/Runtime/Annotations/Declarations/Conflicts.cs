using System.Reflection;

namespace FlatPO.Recipes;

/// <summary>Checks settings given at run time against the conflicts their annotation declares.</summary>
public static class Conflicts
{
    /// <summary>
    /// Throws <see cref="RecipeException"/> with the declared id if <paramref name="settings"/>, an object with <paramref name="annotation"/>'s properties, sets two that
    /// exclude each other, or one that excludes
    /// the <paramref name="role"/> of the <paramref name="module"/> it sits at.
    /// </summary>
    public static void Check(Type annotation, object settings, Sites role, string module)
    {
        foreach (ConflictAtAttribute conflict in annotation.GetCustomAttributes<ConflictAtAttribute>())
            if ((role & conflict.Sites) != 0 && Set(settings, conflict.Property) is { } value)
                throw new RecipeException(conflict.Id, $"{conflict.Property} = {value} excludes {module}: {conflict.Reason}");
        foreach (ConflictAttribute conflict in annotation.GetCustomAttributes<ConflictAttribute>())
            if (Set(settings, conflict.First) is { } first && Set(settings, conflict.Second) is { } second)
                throw new RecipeException(conflict.Id, $"{conflict.Second} = {second} excludes {conflict.First} = {first}: {conflict.Reason}");
    }

    /// <summary>The property's value; null where it is <c>default</c>.</summary>
    private static object? Set(object settings, string property)
    {
        PropertyInfo declared = settings.GetType().GetProperty(property) ?? throw new ArgumentException($"{settings.GetType().Name} has no property {property}", nameof(property));
        object? value = declared.GetValue(settings);
        return value is null || declared.PropertyType.IsValueType && value.Equals(Activator.CreateInstance(declared.PropertyType)) ? null : value;
    }
}
