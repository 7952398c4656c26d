using System.Collections;
using System.Reflection;
using Microsoft.CodeAnalysis;

namespace FlatPO.Recipes.Generator.Tests.Caching;

/// <summary>Holds every case of every test to the caching promises: a second run on an equal compilation re-runs nothing, and no step keeps the compiler's objects alive.</summary>
internal static class CacheCheck
{
    private static readonly Type[] Forbidden = [typeof(ISymbol), typeof(Compilation), typeof(SyntaxNode), typeof(SyntaxTree), typeof(Location), typeof(AttributeData), typeof(SemanticModel), typeof(AdditionalText)];

    internal static void RunAgain(GeneratorDriver driver, Compilation clone)
    {
        GeneratorRunResult again = driver.RunGenerators(clone).GetRunResult().Results.Single();
        Assert.Null(again.Exception);
        foreach ((string step, IncrementalGeneratorRunStep run) in Tracked(again))
        {
            Assert.All(run.Outputs, output => Assert.True(output.Reason is IncrementalStepRunReason.Cached or IncrementalStepRunReason.Unchanged, $"step {step} is {output.Reason}"));
            foreach ((object value, _) in run.Outputs)
                AssertPlain(value, step, new HashSet<object>(ReferenceEqualityComparer.Instance));
        }
        foreach (IncrementalGeneratorRunStep output in again.TrackedOutputSteps.SelectMany(pair => pair.Value))
            Assert.All(output.Outputs, result => Assert.Equal(IncrementalStepRunReason.Cached, result.Reason));
    }

    internal static IEnumerable<(string Step, IncrementalGeneratorRunStep Run)> Tracked(GeneratorRunResult result) =>
        from step in PipelineSteps.All
        where result.TrackedSteps.ContainsKey(step)
        from run in result.TrackedSteps[step]
        select (step, run);

    private static void AssertPlain(object? value, string path, HashSet<object> seen)
    {
        if (value is null || value is string || value.GetType().IsPrimitive || value.GetType().IsEnum || !seen.Add(value))
            return;
        Type type = value.GetType();
        Assert.DoesNotContain(Forbidden, forbidden => forbidden.IsAssignableFrom(type));
        if (value is IEnumerable items)
            foreach (object? item in items)
                AssertPlain(item, $"{path}[]", seen);
        foreach (FieldInfo field in Fields(type))
            AssertPlain(field.GetValue(value), $"{path}.{field.Name}", seen);
    }

    private static IEnumerable<FieldInfo> Fields(Type? type)
    {
        for (; type is not null && type != typeof(object); type = type.BaseType)
            foreach (FieldInfo field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                if (!field.FieldType.IsPointer && !field.FieldType.IsByRefLike)
                    yield return field;
    }
}
