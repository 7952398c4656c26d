using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>The class itself and which attributes it carries.</summary>
internal static class DeclarationRules
{
    public static void Check(RecipeDeclaration declaration, Findings findings)
    {
        CheckShape(declaration.Shell, findings);
        CheckPresence(declaration, findings);
        CheckSingles(declaration, findings);
    }

    private static void CheckShape(TypeShell shell, Findings findings)
    {
        foreach (ShapeFault fault in shell.Faults.Where(fault => fault != ShapeFault.NotPartial))
            findings.Add("FPO0002", Place.Class, shell.Name, Words(fault));
        if (shell.Faults.Contains(ShapeFault.NotPartial))
            findings.Add("FPO0001", Place.Class, shell.Name);
        foreach (string member in shell.ReservedMembers)
            findings.Add("FPO0011", Place.Class, shell.Name, member);
    }

    private static string Words(ShapeFault fault) => fault switch
    {
        ShapeFault.Static => "is static, and a recipe is loaded as an object",
        ShapeFault.Abstract => "is abstract, and a recipe is loaded as an object",
        ShapeFault.Record => "is a record, and a copy would share the trained numbers",
        ShapeFault.FileLocal => "is file-local, and its generated part is another file",
        ShapeFault.DeclaresConstructor => "declares a constructor, and a recipe is created by its generated Load",
        _ => "is nested in a type that is not partial",
    };

    private static void CheckPresence(RecipeDeclaration declaration, Findings findings)
    {
        Require(AnnotationKind.Backbone, "FPO0003");
        Require(AnnotationKind.Adapter, "FPO0004");
        Require(AnnotationKind.Optimizer, "FPO0005");

        void Require(AnnotationKind kind, string id)
        {
            if (declaration.First(kind) is null)
                findings.Add(id, Place.Class, declaration.Shell.Name);
        }
    }

    private static void CheckSingles(RecipeDeclaration declaration, Findings findings)
    {
        foreach (AnnotationKind kind in new[] { AnnotationKind.Sharpness, AnnotationKind.Optimizer, AnnotationKind.Schedule })
        {
            Annotation? first = declaration.First(kind);
            foreach (Annotation further in declaration.All(kind).Skip(1))
                findings.Add("FPO0006", Place.Of(further), declaration.Shell.Name, kind.ToString().ToLowerInvariant(), first!.Name, further.Name);
        }
    }
}
