using FlatPO.Recipes.Generator.Tests.Harness;

namespace FlatPO.Recipes.Generator.Tests.Emission;

public sealed class SpecimenTests
{
    [Theory]
    [InlineData("TinyOpt")]
    [InlineData("TinyVit")]
    [InlineData("TinyLlama")]
    [InlineData("DoraLlama")]
    [InlineData("VectorLlama")]
    [InlineData("Patterned")]
    [InlineData("Prompted")]
    [InlineData("VeraLlama")]
    [InlineData("NarrowOpt")]
    [InlineData("BiasedQwen")]
    [InlineData("EmbeddedMistral")]
    [InlineData("BiasedOpt")]
    [InlineData("SupportAnswers")]
    [InlineData("PlainQwen")]
    [InlineData("Nested")]
    [InlineData("OwnParts")]
    [InlineData("TwoTowers")]
    [InlineData("DeepClip")]
    [InlineData("Verdicts")]
    [InlineData("Captions")]
    public void Emitted_code_reads_as_verified_and_compiles_without_warnings(string specimen)
    {
        Generated generated = Project.OfSpecimens(specimen).Generate();
        Snapshot.Verify(specimen, generated.Text);
        Assert.Equal("", string.Join('\n', generated.Complaints));
    }
}
