using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Backbones.Vit;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Trainables;
using Xunit.Abstractions;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Backbones;

[Trait("Category", Golden.Category)]
public sealed class VitGolden(ITestOutputHelper output)
{
    private const double Tolerance = 1e-4;

    [Fact]
    public void Logits_and_loss_are_those_of_transformers() => AssertSame(Golden.Backbone("vit"));

    [Fact]
    public void So_they_are_under_less_usual_settings() => AssertSame(Golden.Variant("vit"));

    private void AssertSame(string folder)
    {
        using var scope = NewDisposeScope();
        using SafetensorsFile expected = Golden.Case(folder);
        using ViTForImageClassification backbone = BackboneLoader.Load(folder, CPU, Precision.Float32, weights => new ViTForImageClassification(weights));
        ImageBatch batch = new(expected.Read("pixel_values"), expected.Read("labels"));

        double logits = Golden.LargestDifference(backbone.Logits(batch), expected.Read("logits"));
        double loss = Golden.LargestDifference(backbone.Loss(batch, batch.Supervised).reshape(1), expected.Read("loss"));

        output.WriteLine($"vit: largest difference of logits {logits:e2}, of loss {loss:e2}");
        Assert.InRange(logits, 0, Tolerance);
        Assert.InRange(loss, 0, Tolerance);
    }

    [Fact]
    public void An_image_of_another_size_is_refused()
    {
        using var scope = NewDisposeScope();
        using var backbone = (ImageClassifier)BackboneLoader.Load(Golden.Backbone("vit"), CPU, Precision.Float32);
        long size = backbone.Config.Int("image_size");

        var error = Assert.Throws<RecipeException>(() => backbone.Logits(new ImageBatch(zeros(1, 3, size + 1, size), zeros(1, int64))));

        Assert.Equal("FPO3012", error.Id);
        Assert.Contains($"[1, 3, {size + 1}, {size}]", error.Message);
        Assert.Contains($"[rows, 3, {size}, {size}]", error.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("vit.")]
    public void A_pretrained_checkpoint_gets_a_classifier_that_must_be_trained(string removed)
    {
        using TemporaryFolder folder = new TemporaryFolder().With(Golden.Backbone("vit"));
        using (var scope = NewDisposeScope())
        using (SafetensorsFile whole = SafetensorsFile.Open(Path.Combine(Golden.Backbone("vit"), "model.safetensors")))
            SafetensorsWriter.Write(folder.File("model.safetensors"), whole.Entries.Keys.Where(name => !name.StartsWith("classifier", StringComparison.Ordinal))
                .ToDictionary(name => removed.Length > 0 && name.StartsWith(removed, StringComparison.Ordinal) ? name[removed.Length..] : name, name => whole.Read(name)));
        using Backbone backbone = BackboneLoader.Load(folder.Path, CPU, Precision.Float32);
        AdapterPlacement frozen = new(backbone, seed: 1);
        frozen.Place(new LoraMethod { Rank = 2 }, "vit.layers.0.attention.q_proj");
        Assert.Equal("FPO4014", Assert.Throws<RecipeException>(frozen.BuildArena).Id);
        AdapterPlacement trained = new(backbone, seed: 1);
        trained.TrainWhole("classifier");
        using Arena arena = trained.BuildArena();
    }
}
