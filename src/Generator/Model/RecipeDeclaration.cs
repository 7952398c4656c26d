namespace FlatPO.Recipes.Generator.Model;

/// <summary>A recipe as the user wrote it, before anything is known about its backbone.</summary>
internal sealed record RecipeDeclaration(TypeShell Shell, EquatableArray<Annotation> Annotations)
{
    /// <summary>The first annotation of a kind.</summary>
    public Annotation? First(AnnotationKind kind) => Annotations.FirstOrDefault(annotation => annotation.Kind == kind);

    /// <summary>All annotations of a kind.</summary>
    public IEnumerable<Annotation> All(AnnotationKind kind) => Annotations.Where(annotation => annotation.Kind == kind);

    /// <summary>The task by its enum number.</summary>
    public long Task => First(AnnotationKind.Recipe) is { Arguments: [{ } task, ..] } ? (long)task.Number : 0;
}
