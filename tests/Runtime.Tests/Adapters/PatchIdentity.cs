using System.Text.Json.Nodes;
using FlatPO.Recipes.Adapters.VisualPrompt;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Tests.Backbones;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Tests.Adapters;

/// <summary>
/// A visual prompt does to an image of one patch what patches with its vectors do: the base is told to take images of k · k patches, all but the first of them black, so that
/// their vectors are rows of its position table, and the prompt's k · k − 1 vectors are written there.
/// </summary>
internal sealed class PatchIdentity(string golden)
{
    /// <summary>The logits are the same, bit for bit. A prompt for every layer is compared layer by layer, the others made to add nothing.</summary>
    internal void AssertSeenAsPatches(FreshMethod method)
    {
        using var noGrad = no_grad();
        int places = method.Methods.OfType<VisualPromptMethod>().Single().VirtualTokens, side = (int)Math.Sqrt(places + 1);
        Assert.Equal(places + 1, side * side);
        bool deep = method.Methods.OfType<VisualPromptMethod>().Single().Deep;
        using Sized first = new(golden, 1);
        for (int layer = 0; layer < (deep ? first.Inputs.Shape.Layers : 1); layer++)
        {
            using Sized small = new(golden, 1), large = new(golden, side);
            using Arena arena = method.On(small.Backbone).BuildArena();
            Tensor prompts = ((VisualPrompts)small.Inputs.Adapter!).Prompts.Value[layer]; // [places, width]
            large.Positions.narrow(0, 0, 2).copy_(small.Positions);
            large.Positions.narrow(0, 2, places).copy_(prompts);
            if (layer > 0)
                prompts.copy_(small.Entering(prompts));
            if (deep)
                foreach (Sized sized in (Sized[])[small, large])
                    sized.SilenceAllBut(layer);
            using (arena.Bind())
                Assert.Equal(large.Logits().reshape(-1).Bits(), small.Logits().reshape(-1).Bits());
        }
    }

    /// <summary>The golden backbone for images of some patches a side.</summary>
    private sealed class Sized : IDisposable
    {
        private readonly TemporaryFolder folder = new();
        private readonly SafetensorsFile inputs;
        private readonly int patch, side;

        internal Sized(string golden, int side)
        {
            this.side = side;
            JsonNode config = JsonNode.Parse(File.ReadAllText(Path.Combine(golden, "config.json")))!, vision = config["vision_config"] ?? config;
            patch = vision["patch_size"]!.GetValue<int>();
            vision["image_size"] = side * patch;
            File.WriteAllText(folder.File("config.json"), config.ToJsonString());
            using SafetensorsFile weights = SafetensorsFile.Open(Path.Combine(golden, "model.safetensors"));
            SafetensorsWriter.Write(folder.File("model.safetensors"), weights.Entries.Keys.ToDictionary(name => name, name => IsPositions(name) ? Cut(weights.Read(name)) : weights.Read(name)));
            Backbone = BackboneLoader.Load(folder.Path, CPU, Precision.Float32);
            inputs = Golden.Case(golden);
            Inputs = Backbone.Weights.AllSites.OfType<InputSite>().Single();
            foreach (Weight bias in Backbone.Weights.All.Where(weight => weight.Name.EndsWith("patch_embeddings.projection.bias", StringComparison.Ordinal)))
                bias.Frozen.fill_(0); // a black patch is its position alone
        }

        internal Backbone Backbone { get; }

        internal InputSite Inputs { get; }

        /// <summary>[1 + patches, width].</summary>
        internal Tensor Positions => Backbone.Weights.All.Single(weight => IsPositions(weight.Name)).Frozen.view(-1, Inputs.Out);

        internal Tensor Logits()
        {
            Tensor pixels = inputs.Read("pixel_values").narrow(2, 0, patch).narrow(3, 0, patch); // [rows, channels, patch, patch]
            Tensor image = functional.pad(pixels, [0, (side - 1) * patch, 0, (side - 1) * patch]);
            return Backbone is ImageTextModel both
                ? both.Logits(ClipGolden.Batch(inputs) with { PixelValues = image })
                : ((ImageClassifier)Backbone).Logits(new ImageBatch(image, zeros(image.size(0), int64)));
        }

        /// <summary>What the layers read of vectors of patches: CLIP norms them before the first.</summary>
        internal Tensor Entering(Tensor vectors) => Backbone.Weights.AllSites.OfType<NormSite>().SingleOrDefault(norm => norm.Module.EndsWith("pre_layrnorm", StringComparison.Ordinal)) is { } norm
            ? functional.layer_norm(vectors, [norm.Out], norm.Weight!.Frozen, norm.Bias!.Frozen, Backbone.Config.Section("vision_config").Number("layer_norm_eps", 1e-5))
            : vectors;

        /// <summary>Makes every other layer hand on what it is given: what attention and the feed-forward block add is zero.</summary>
        internal void SilenceAllBut(int layer)
        {
            string tower = Inputs.Module[..^"inputs".Length];
            foreach (Projection last in Backbone.Weights.Projections.Where(site => (site.Role & (Sites.Output | Sites.Down)) != 0
                && site.Module.StartsWith(tower, StringComparison.Ordinal) && !site.Module.Contains($".layers.{layer}.", StringComparison.Ordinal)))
            {
                last.Weight.Frozen.fill_(0);
                last.Bias!.Frozen.fill_(0);
            }
        }

        public void Dispose()
        {
            inputs.Dispose();
            Backbone.Dispose();
            folder.Dispose();
        }

        private static bool IsPositions(string name) => name.EndsWith("position_embeddings", StringComparison.Ordinal) || name.EndsWith("vision_model.embeddings.position_embedding.weight", StringComparison.Ordinal);

        // [.., 1 + patches, width], cut or filled up with zeros to what images of this size have
        private Tensor Cut(Tensor positions)
        {
            int dimension = (int)positions.dim() - 2;
            long wanted = 1 + (side * side), found = Math.Min(wanted, positions.size(dimension));
            return functional.pad(positions.narrow(dimension, 0, found), [0, 0, 0, wanted - found]);
        }
    }
}
