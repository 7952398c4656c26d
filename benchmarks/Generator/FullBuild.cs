using BenchmarkDotNet.Attributes;
using Microsoft.CodeAnalysis;

namespace FlatPO.Recipes.Generator.Benchmarks;

/// <summary>A compiler that has compiled before and now compiles the whole project: without the recipes' code, and with it.</summary>
public class FullBuild
{
    [Benchmark(Baseline = true)]
    public int Without_generator() => Emit(HundredRecipes.Compilation());

    [Benchmark]
    public int With_generator()
    {
        HundredRecipes.Driver().RunGeneratorsAndUpdateCompilation(HundredRecipes.Compilation(), out Compilation compilation, out _);
        return Emit(compilation);
    }

    /// <summary>The generator's own part of the difference; the rest is the compilation of what it wrote.</summary>
    [Benchmark]
    public GeneratorDriver Generator_alone() => HundredRecipes.Driver().RunGenerators(HundredRecipes.Compilation());

    private static int Emit(Compilation compilation)
    {
        using MemoryStream assembly = new();
        return compilation.Emit(assembly).Success ? (int)assembly.Length : throw new InvalidOperationException("the project does not compile");
    }
}
