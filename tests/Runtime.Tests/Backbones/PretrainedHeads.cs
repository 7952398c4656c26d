using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Backbones;

/// <summary>
/// What bert-base-uncased and roberta-base hold as they were published: the heads of pretraining, no classifier, old names of layer norms. They are what a recipe fine-tunes.
/// </summary>
[Trait("Category", Golden.Category)]
public sealed class PretrainedHeads : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();

    [Theory]
    [InlineData("bert", "classifier.weight classifier.bias")]
    [InlineData("roberta", "classifier.dense.weight classifier.dense.bias classifier.out_proj.weight classifier.out_proj.bias")]
    public void With_the_trained_head_put_in_place_the_logits_are_those_of_transformers(string name, string head)
    {
        Dictionary<string, Tensor> trained = Pretrain(name);
        using SafetensorsFile expected = Golden.Case(Golden.Backbone(name));
        using var backbone = (SequenceClassifier)BackboneLoader.Load(folder.Path, CPU, Precision.Float32);
        AdapterPlacement placement = Place(backbone);
        using Arena arena = placement.BuildArena();
        using (no_grad())
            foreach (TrainableTensor tensor in placement.Tensors.Where(tensor => tensor.Kind == TrainableKind.SavedModule))
                tensor.Value.copy_(trained[tensor.Name]);

        Assert.Equal(head.Split(' '), placement.Tensors.Where(tensor => tensor.Kind == TrainableKind.SavedModule).Select(tensor => tensor.Name));
        using (no_grad())
        using (arena.Bind())
            Assert.InRange(Golden.LargestDifference(backbone.Logits(SequenceGolden.Batch(expected)), expected.Read("logits")), 0, 1e-4);
    }

    [Theory]
    [InlineData("bert")]
    [InlineData("roberta")]
    public void A_fresh_head_is_drawn_as_transformers_draws_it_and_the_same_every_time(string name)
    {
        Pretrain(name);
        using Backbone one = BackboneLoader.Load(folder.Path, CPU, Precision.Float32), other = BackboneLoader.Load(folder.Path, CPU, Precision.BFloat16);

        Assert.NotEmpty(one.Weights.Untrained);
        foreach ((Projection first, Projection second) in one.Weights.Untrained.Zip(other.Weights.Untrained))
        {
            double range = one.Config.Number("initializer_range"), count = first.In * first.Out;
            Assert.InRange(first.Weight.Value.std().item<float>(), range * (1 - (3 / Math.Sqrt(count))), range * (1 + (3 / Math.Sqrt(count))));
            Assert.Equal(0, first.Bias!.Value.abs().max().item<float>());
            Assert.Equal(first.Weight.Value.to_type(ScalarType.BFloat16).to_type(ScalarType.Float32).Bits(), second.Weight.Value.to_type(ScalarType.Float32).Bits());
        }
    }

    [Theory]
    [InlineData("bert", "classifier")]
    [InlineData("roberta", "classifier.dense and no classifier.out_proj")]
    public void A_fresh_head_that_is_not_trained_whole_is_refused(string name, string missing)
    {
        Pretrain(name);
        using Backbone backbone = BackboneLoader.Load(folder.Path, CPU, Precision.Float32);
        AdapterPlacement placement = new(backbone, seed: 1);
        foreach (Projection site in backbone.Weights.Projections.Where(site => (site.Role & (Sites.Value | Sites.Head)) != 0))
            placement.Place(new LoraMethod { Rank = 2 }, site.Module); // an adapter on random numbers does not make them trained

        var error = Assert.Throws<RecipeException>(placement.BuildArena);

        Assert.Equal("FPO4014", error.Id);
        Assert.Contains($"has no {missing}, so", error.Message);
        Assert.Contains("ModulesToSave", error.Message);
        Assert.Contains("config.json", error.Message);
    }

    [Theory]
    [InlineData("bert", Precision.Float32)]
    [InlineData("roberta", Precision.Float32)]
    [InlineData("roberta", Precision.BFloat16)]
    public void A_fresh_head_learns(string name, Precision precision)
    {
        Pretrain(name);
        using SafetensorsFile expected = Golden.Case(Golden.Backbone(name));
        using var backbone = (SequenceClassifier)BackboneLoader.Load(folder.Path, CPU, precision);
        using Arena arena = Place(backbone).BuildArena();
        SequenceBatch batch = SequenceGolden.Batch(expected);

        double before = Pass(), after = before;
        for (int step = 0; step < 30; step++)
        {
            using (no_grad())
                arena.Values.sub_(arena.Gradient.mul(0.2));
            after = Pass();
        }

        Assert.InRange(after, 0, before / 2);

        double Pass()
        {
            arena.ZeroGradient();
            using var live = arena.Bind();
            Tensor loss = backbone.Loss(batch, batch.Supervised);
            loss.backward();
            return loss.item<float>();
        }
    }

    [Theory]
    [InlineData("bert")]
    [InlineData("roberta")]
    public void A_base_model_alone_loads_too(string name)
    {
        Pretrain(name, rename: tensor => tensor.StartsWith($"{name}.", StringComparison.Ordinal) ? tensor[(name.Length + 1)..] : null);
        using Backbone backbone = BackboneLoader.Load(folder.Path, CPU, Precision.Float32);

        Assert.All(backbone.Weights.Untrained, head => Assert.StartsWith("classifier", head.Module));
    }

    [Fact]
    public void A_bert_without_its_pooler_draws_one()
    {
        Pretrain("bert", rename: tensor => tensor.StartsWith("bert.pooler", StringComparison.Ordinal) ? null : tensor);
        using Backbone backbone = BackboneLoader.Load(folder.Path, CPU, Precision.Float32);

        Assert.Equal(["bert.pooler.dense", "classifier"], backbone.Weights.Untrained.Select(head => head.Module));
    }

    [Fact]
    public void Half_a_head_is_a_damaged_checkpoint()
    {
        Dictionary<string, Tensor> tensors = Read("bert");
        tensors.Remove("classifier.bias");
        Write("bert", tensors);

        var error = Assert.Throws<RecipeException>(() => BackboneLoader.Load(folder.Path, CPU, Precision.Float32));

        Assert.Equal("FPO4004", error.Id);
        Assert.Contains("missing: 1", error.Message);
        Assert.Contains("classifier.bias", error.Message);
    }

    [Theory]
    [InlineData("bert")]
    [InlineData("roberta")]
    public void A_merged_checkpoint_and_a_saved_adapter_hold_the_trained_head(string name)
    {
        Pretrain(name);
        using TemporaryFolder merged = new(), adapter = new();
        using SafetensorsFile expected = Golden.Case(Golden.Backbone(name));
        using var backbone = (SequenceClassifier)BackboneLoader.Load(folder.Path, CPU, Precision.Float32);
        using var again = (SequenceClassifier)BackboneLoader.Load(folder.Path, CPU, Precision.Float32);
        AdapterPlacement placement = Place(backbone);
        using Arena arena = placement.BuildArena();
        using (no_grad())
            arena.Values.add_(randn_like(arena.Values).mul(0.1));
        placement.MergeInto(merged.Path);
        placement.Save(adapter.Path);
        using var whole = (SequenceClassifier)BackboneLoader.Load(merged.Path, CPU, Precision.Float32);
        using Arena read = PeftFolder.Place(again, adapter.Path).BuildArena();

        using var noGrad = no_grad();
        using var live = arena.Bind();
        using var liveAgain = read.Bind();
        Tensor logits = backbone.Logits(SequenceGolden.Batch(expected));
        Assert.Empty(whole.Weights.Untrained);
        Assert.Equal(["classifier"], AdapterConfig.Read(adapter.Path).Texts("modules_to_save"));
        Assert.InRange(Golden.LargestDifference(whole.Logits(SequenceGolden.Batch(expected)), logits), 0, 1e-4);
        Assert.Equal(0, Golden.LargestDifference(again.Logits(SequenceGolden.Batch(expected)), logits));
    }

    // Query and value adapted, the head trained whole: the usual recipe of a text classifier.
    private static AdapterPlacement Place(Backbone backbone)
    {
        AdapterPlacement placement = new(backbone, seed: 1);
        foreach (Projection site in backbone.Weights.Projections.Where(site => (site.Role & (Sites.Query | Sites.Value)) != 0))
            placement.Place(new LoraMethod { Rank = 2 }, site.Module);
        foreach (Projection head in backbone.Weights.Untrained)
            placement.TrainWhole(head.Module);
        return placement;
    }

    /// <summary>Writes the golden checkpoint as its pretraining would have: no classifier, the heads of pretraining, old layer norms. Returns what was there.</summary>
    private Dictionary<string, Tensor> Pretrain(string name, Func<string, string?>? rename = null)
    {
        Dictionary<string, Tensor> golden = Read(name), published = [];
        foreach ((string tensor, Tensor numbers) in golden.Where(pair => !pair.Key.StartsWith("classifier", StringComparison.Ordinal)))
            published[tensor.Replace("LayerNorm.weight", "LayerNorm.gamma").Replace("LayerNorm.bias", "LayerNorm.beta")] = numbers;
        foreach (string extra in (string[])(name == "bert" ? ["cls.predictions.bias", "cls.seq_relationship.weight"] : ["lm_head.dense.weight", "roberta.pooler.dense.weight"]))
            published[extra] = ones(3);
        published[$"{name}.embeddings.position_ids"] = ones(1, 5, int64);
        Write(name, rename is null ? published : published.Where(pair => rename(pair.Key) is not null).ToDictionary(pair => rename(pair.Key)!, pair => pair.Value));
        return golden;
    }

    private static Dictionary<string, Tensor> Read(string name)
    {
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(Golden.Backbone(name), "model.safetensors"));
        return file.Entries.Keys.ToDictionary(tensor => tensor, tensor => file.Read(tensor).clone());
    }

    private void Write(string name, Dictionary<string, Tensor> tensors)
    {
        File.Copy(Path.Combine(Golden.Backbone(name), "config.json"), folder.File("config.json"));
        SafetensorsWriter.Write(folder.File("model.safetensors"), tensors);
    }

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }
}
