namespace FlatPO.Recipes.Generator.Model;

/// <summary>Roles of sites in words. The names come from the enum's own members.</summary>
internal static class Roles
{
    /// <summary>Query, Value; a value without flags is None.</summary>
    public static string Describe(long roles, EquatableArray<EnumMember> members)
    {
        string[] names = [.. members.Where(member => IsSingle(member.Value) && (roles & member.Value) != 0).Select(member => member.Name)];
        return names.Length == 0 ? "None" : string.Join(", ", names);
    }

    /// <summary>What the named unions within a value bring; those of it that are absent are meant to be skipped.</summary>
    public static long InNamedUnions(long roles, EquatableArray<EnumMember> members) =>
        members.Where(member => !IsSingle(member.Value) && (roles & member.Value) == member.Value).Aggregate(0L, (all, member) => all | member.Value);

    /// <summary>
    /// Roles as members of the enum <paramref name="type"/>: <c>Sites.Query | Sites.Value</c>, or the one union that means just these among the roles a
    /// backbone offers.
    /// </summary>
    public static string Expression(long roles, long offered, EquatableArray<EnumMember> members, string type)
    {
        EnumMember[] singles = [.. members.Where(member => IsSingle(member.Value) && (roles & member.Value) != 0)];
        EnumMember? union = singles.Length > 1 ? members.FirstOrDefault(member => !IsSingle(member.Value) && (member.Value & offered) == roles) : null;
        return string.Join(" | ", (union is null ? singles : [union]).Select(member => $"{type}.{member.Name}"));
    }

    private static bool IsSingle(long value) => value != 0 && (value & (value - 1)) == 0;
}
