using System.Reflection;
using FlatPO.Recipes.Generator.Model;
using FlatPO.Recipes.Generator.Parsing;
using FlatPO.Recipes.Generator.Rules;

namespace FlatPO.Recipes.Generator.Tests.Agreement;

/// <summary>Generator and runtime meet in names alone; here every name is proved.</summary>
public sealed class RuntimeAgreementTests
{
    private static readonly Assembly Runtime = typeof(RecipeAttribute).Assembly;

    public static TheoryData<string> AnnotationTypeNames =>
        [.. typeof(AnnotationNames).GetFields().Where(constant => constant.IsLiteral).Select(constant => (string)constant.GetRawConstantValue()!).Where(name => name.EndsWith("Attribute", StringComparison.Ordinal))];

    public static TheoryData<string> RuntimeTypeNames => [.. RuntimeTypes.FullNames.Values];

    [Theory]
    [MemberData(nameof(AnnotationTypeNames))]
    public void Annotations_exist(string name) => Assert.True(typeof(Attribute).IsAssignableFrom(Runtime.GetType(name, throwOnError: true)));

    [Theory]
    [MemberData(nameof(RuntimeTypeNames))]
    public void Types_that_emitted_code_names_exist(string name)
    {
        string metadataName = name.Replace("TorchSharp.torch.", "TorchSharp.torch+", StringComparison.Ordinal);
        Assert.NotNull(Runtime.GetType(metadataName) ?? typeof(TorchSharp.torch).Assembly.GetType(metadataName) ?? typeof(object).Assembly.GetType(metadataName) ?? typeof(System.CodeDom.Compiler.GeneratedCodeAttribute).Assembly.GetType(metadataName));
    }

    [Fact]
    public void The_interface_of_recipes_exists() => Assert.NotNull(Runtime.GetType($"{RuntimeTypes.Root}.{RuntimeTypes.RecipeInterface}`1"));

    [Fact]
    public void A_chunk_of_logits_is_as_large_as_the_plan_says() => Assert.Equal(
        MemoryEstimate.ChunkOfLogits,
        Runtime.GetType($"{RuntimeTypes.Root}.Backbones.NextTokenLoss", throwOnError: true)!.GetField("ChunkNumbers", BindingFlags.NonPublic | BindingFlags.Static)!.GetRawConstantValue());

    [Fact]
    public void Roles_that_the_plan_knows_are_those_of_the_runtime() =>
        Assert.Equal(((long)Sites.Head, (long)Sites.Output, (long)Sites.FeedForward), (SiteKinds.Head, SiteKinds.Output, SiteKinds.FeedForward));

    [Fact]
    public void What_is_held_in_four_bits_is_as_the_plan_says()
    {
        Assert.Equal(nameof(Precision.NF4), QuantizedWeights.FourBits);
        Type matrix = Runtime.GetType($"{RuntimeTypes.Root}.Operations.Nf4Matrix", throwOnError: true)!;
        Assert.Equal(QuantizedWeights.Block, matrix.GetField("Block", BindingFlags.NonPublic | BindingFlags.Static)!.GetRawConstantValue());
        Assert.Equal(QuantizedWeights.ScaleBlock, matrix.GetField("ScaleBlock", BindingFlags.NonPublic | BindingFlags.Static)!.GetRawConstantValue());
    }

    [Fact]
    public void Defaults_are_the_initialisers()
    {
        foreach (Type annotation in Annotations())
        {
            Attribute fresh = (Attribute)(annotation.GetConstructor(Type.EmptyTypes) ?? throw new InvalidOperationException(annotation.Name)).Invoke(null);
            foreach (PropertyInfo property in annotation.GetProperties())
                if (property.GetCustomAttribute<DefaultAttribute>() is { } declared)
                    Assert.Equal(declared.Value, property.GetValue(fresh));
        }
    }

    [Fact]
    public void What_emitted_code_leaves_out_is_the_runtimes_own_default()
    {
        List<string> checkedProperties = [];
        foreach (Type annotation in Annotations())
        {
            if (annotation.GetCustomAttribute<RealizedByAttribute>()?.Type.GetConstructor(Type.EmptyTypes) is not { } create)
                continue; // an optimizer takes its arena: its properties are per run and always assigned
            object fresh = create.Invoke(null);
            foreach (PropertyInfo property in annotation.GetProperties().Where(property => property.SetMethod is not null && !property.IsDefined(typeof(PerRunAttribute)) && IsLeftOut(property)))
            {
                Assert.Equal(property.GetCustomAttribute<DefaultAttribute>()!.Value, create.DeclaringType!.GetProperty(property.Name)!.GetValue(fresh));
                checkedProperties.Add(property.Name);
            }
        }
        Assert.Contains("UseDora", checkedProperties);

        static bool IsLeftOut(PropertyInfo property) => property.GetMethod!.GetBaseDefinition().DeclaringType != typeof(AdapterAttribute)
            && property.GetCustomAttribute<DefaultAttribute>()?.Value is { } value && (value is Array { Length: 0 } || value is not Array && value.Equals(Activator.CreateInstance(value.GetType())));
    }

    [Fact]
    public void Optimizers_leave_nothing_out() => Assert.All(
        Annotations().Where(type => typeof(OptimizerAttribute).IsAssignableFrom(type)).SelectMany(type => type.GetProperties()).Where(property => property.SetMethod is not null),
        property => Assert.True(property.IsDefined(typeof(PerRunAttribute)), property.Name));

    [Fact]
    public void Checks_name_properties_and_ids_that_exist()
    {
        foreach (Type annotation in Annotations())
        {
            (string Id, string?[] Properties)[] named =
            [
                .. annotation.GetCustomAttributes<ConflictAttribute>().Select(check => (check.Id, (string?[])[check.First, check.Second])),
                .. annotation.GetCustomAttributes<UsualRatioAttribute>().Select(check => (check.Id, (string?[])[check.Dividend, check.Divisor, check.Root])),
                .. annotation.GetCustomAttributes<SubsetAttribute>().Select(check => (check.Id, (string?[])[check.Part, check.Whole])),
                .. annotation.GetCustomAttributes<WantsBiasAttribute>().Select(check => (check.Id, (string?[])[check.Property])),
                .. annotation.GetProperties().Select(property => property.GetCustomAttribute<PatternOfAttribute>()).OfType<PatternOfAttribute>().Select(pattern => ("FPO0013", (string?[])[pattern.Property])),
                .. annotation.GetCustomAttributes<AdapterTensorAttribute>().Select(tensor => ("FPO0013", (string?[])[tensor.When, tensor.Unless, tensor.At, tensor.NotAt])),
            ];
            foreach ((string id, string?[] properties) in named)
            {
                Assert.Equal(id, Generator.Diagnostics.RecipeDiagnostics.For(id).Id);
                Assert.All(properties.OfType<string>(), property => Assert.NotNull(annotation.GetProperty(property)));
            }
        }
    }

    [Fact]
    public void Every_property_that_emitted_code_sets_declares_its_default()
    {
        foreach (PropertyInfo property in Annotations().SelectMany(type => type.GetProperties()).Where(property => property.SetMethod is not null && property.DeclaringType != typeof(AdapterAttribute)))
            Assert.True(property.GetCustomAttribute<DefaultAttribute>() is not null, $"{property.DeclaringType!.Name}.{property.Name} has no [Default]");
    }

    [Fact]
    public void Properties_that_rules_name_exist()
    {
        (Type, string[])[] named =
        [
            (typeof(AdapterAttribute), ["Sites", "TargetModules", "Layers", "Towers", "ModulesToSave"]),
            (typeof(SharpnessAttribute), ["Rho", "Scope", "Adaptive", "Normalization"]),
            (typeof(FlatPOAttribute), ["Fraction", "Selection"]),
            (typeof(TrainingAttribute), ["Epochs", "BatchSize", "GradientAccumulation", "Seed", "MaxLength", "MaxPixels", "MaxGradientNorm", "Precision", "DeviceMemory"]),
            (typeof(BoundsAttribute), ["Minimum", "Above", "Below", "Maximum"]),
            (typeof(BackboneFamilyAttribute), ["MaxLength", "Shape"]),
            (typeof(TowerAttribute), ["Layers", "Weights", "LayerWeights", "Positions", "PixelsPerToken", "LayerActivations", "FusedActivations"]),
            (typeof(SiteAttribute), ["In", "Out", "Bias", "Published", "Tower", "When", "Tied"]),
            (typeof(AdapterTensorAttribute), ["When", "At", "NotAt", "IsBias", "Is", "Elsewhere"]),
            (typeof(KeepsForBackwardAttribute), ["IsLowRank", "CopiesInput"]),
            (typeof(AddsPositionsAttribute), ["Kept"]),
            (typeof(UsualRatioAttribute), ["Root", "AtLeast", "AtMost"]),
        ];
        foreach ((Type type, string[] names) in named)
            Assert.All(names, name => Assert.NotNull(type.GetProperty(name)));
        Assert.True(typeof(SharpnessAttribute).GetProperty("Rho")!.IsDefined(typeof(PerRunAttribute)));
        Assert.All(new[] { "Epochs", "BatchSize", "GradientAccumulation", "Seed", "MaxLength", "MaxGradientNorm" }, name => Assert.True(typeof(TrainingAttribute).GetProperty(name)!.IsDefined(typeof(PerRunAttribute))));
        Assert.Equal("..", new LoraAttribute().Layers);
    }

    [Fact]
    public void Enums_that_are_known_by_member_agree()
    {
        Assert.Equal(Enum.GetNames<SelectionRule>().Append("All").Order(), Enum.GetNames<SelectionKind>().Order());
        Assert.Contains("Selected", Enum.GetNames<Normalization>());
        Assert.Equal(Enum.GetValues<TaskType>().Select(task => ((long)task, task.ToString())), TaskTable.Rows.Select(row => (row.Value, row.Name)));
        Assert.Equal(0, (int)Sites.None);
    }

    [Fact]
    public void Family_defaults_are_the_initialisers()
    {
        BackboneFamilyAttribute family = new("x", TaskType.CausalLM);
        Assert.Equal(AnnotationNames.DefaultLayers, new TowerAttribute().Layers);
        Assert.Equal(AnnotationNames.DefaultShape, family.Shape);
        Assert.Equal(("", "0"), (family.MaxLength, new SiteAttribute("m", Sites.Up) { In = "a", Out = "b" }.Bias));
    }

    [Fact]
    public void Bounds_ids_have_descriptors_of_their_own() => Assert.All(
        Annotations().SelectMany(type => type.GetProperties()).Select(property => property.GetCustomAttribute<BoundsAttribute>()).OfType<BoundsAttribute>(),
        bounds => Assert.Equal(bounds.Id, Generator.Diagnostics.RecipeDiagnostics.For(bounds.Id).Id));

    private static IEnumerable<Type> Annotations() => Runtime.GetExportedTypes().Where(type => !type.IsAbstract
        && (type == typeof(TrainingAttribute) || new[] { typeof(AdapterAttribute), typeof(SharpnessAttribute), typeof(OptimizerAttribute), typeof(ScheduleAttribute) }.Any(kind => kind.IsAssignableFrom(type))));
}
