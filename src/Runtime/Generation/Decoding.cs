using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Generation;

/// <summary>Continues texts token by token, several at once, each token read once (transformers <c>generate</c> with a cache).</summary>
public static class Decoding
{
    private const string SettingsFile = "generation_config.json";

    /// <summary>
    /// Continues prompts, each at least one token long; adapters must be bound (<see cref="Trainables.Arena.Bind"/>). Throws FPO3050 for settings that cannot be, FPO3051
    /// for an empty prompt, FPO3006 for one that fills the backbone's positions and FPO3013 for an id that the backbone does not have.
    /// </summary>
    public static IReadOnlyList<Completion> Generate(
        this CausalLM backbone, IReadOnlyList<IReadOnlyList<int>> prompts, GenerationSettings? settings = null, IProgress<GeneratedToken>? progress = null, CancellationToken cancellation = default)
    {
        TokenRange vocabulary = TokenRange.Of(backbone.Config);
        for (int row = 0; row < prompts.Count; row++)
        {
            vocabulary.CheckIds(prompts[row], row);
            TokenRange.CheckLength(prompts[row].Count + 1, 0, backbone.LongestRow, row);
        }
        Growth growth = new(backbone, settings, progress, cancellation) { LongestRow = backbone.LongestRow };
        return growth.All(prompts, prompt => prompt, _ => pass => backbone.NextLogits(pass));
    }

    /// <summary>Continues prompts with images in them; the same, and what <see cref="MultimodalLM.Check"/> throws of them.</summary>
    public static IReadOnlyList<Completion> Generate(
        this MultimodalLM backbone, IReadOnlyList<MultimodalExample> prompts, GenerationSettings? settings = null, IProgress<GeneratedToken>? progress = null, CancellationToken cancellation = default)
    {
        backbone.Check(prompts, 0);
        return new Growth(backbone, settings, progress, cancellation).All(prompts, prompt => prompt.InputIds, some =>
        {
            MultimodalBatch batch = backbone.CollatePrompts(some);
            return pass => backbone.NextLogits(pass, batch);
        });
    }

    /// <summary>One call's work.</summary>
    private sealed class Growth(Backbone backbone, GenerationSettings? given, IProgress<GeneratedToken>? progress, CancellationToken cancellation)
    {
        private readonly GenerationSettings settings = given ?? new GenerationSettings();

        internal long? LongestRow { get; init; }

        /// <summary>All prompts, some at once: <paramref name="begin"/> prepares them and gives what answers a pass over them.</summary>
        internal IReadOnlyList<Completion> All<T>(IReadOnlyList<T> prompts, Func<T, IReadOnlyList<int>> idsOf, Func<T[], Func<DecoderPass, Tensor>> begin)
        {
            settings.Check();
            for (int row = 0; row < prompts.Count; row++)
                if (idsOf(prompts[row]).Count == 0)
                    throw new RecipeException("FPO3051", $"prompt {row} is empty; a text to continue has at least 1 token");
            HashSet<int> stops = [.. settings.StopIds ?? StopIdsOf(backbone.Config)];
            backbone.Training = false;
            using var noGrad = no_grad();
            List<Completion> completions = [];
            foreach (T[] some in prompts.Chunk(settings.BatchSize))
            {
                using var scope = NewDisposeScope();
                completions.AddRange(Some(TokenRows.EndingTogether([.. some.Select(idsOf)]), begin(some), stops, completions.Count));
            }
            return completions;
        }

        private Completion[] Some(TokenRows prompts, Func<DecoderPass, Tensor> nextLogits, HashSet<int> stops, int firstText)
        {
            Sampler sampler = new(settings);
            List<int>[] grown = [.. Enumerable.Range(0, prompts.Rows).Select(_ => new List<int>())];
            bool[] stopped = new bool[prompts.Rows];
            int steps = (int)Math.Min(settings.MaxNewTokens, (LongestRow ?? long.MaxValue) - prompts.Length);
            using KeyValueCache cache = new(prompts.Length + steps);
            Tensor ids = prompts.OnDevice(prompts.Ids, backbone.Device), mask = prompts.OnDevice(prompts.Mask, backbone.Device);
            Tensor one = ones([prompts.Rows, 1], ScalarType.Int64, backbone.Device);
            for (int step = 0; step < steps && stopped.Contains(false); step++)
            {
                cancellation.ThrowIfCancellationRequested();
                using var scope = NewDisposeScope();
                Tensor chosen = sampler.Choose(nextLogits(new DecoderPass(ids, mask, prompts.Mask.Contains(0), cache)), firstText, step); // [rows]
                Take(chosen, grown, stopped, stops, firstText);
                (ids, mask) = (Longer(ids, chosen.unsqueeze(1)), Longer(mask, one));
            }
            return [.. grown.Zip(stopped, (tokens, ended) => new Completion(tokens, ended))];
        }

        private void Take(Tensor chosen, List<int>[] grown, bool[] stopped, HashSet<int> stops, int firstText)
        {
            long[] tokens = chosen.cpu().data<long>().ToArray();
            for (int row = 0; row < tokens.Length; row++)
            {
                if (stopped[row])
                    continue; // the batch goes on for the others
                grown[row].Add((int)tokens[row]);
                stopped[row] = stops.Contains((int)tokens[row]);
                progress?.Report(new GeneratedToken(firstText + row, (int)tokens[row]));
            }
        }

        private static Tensor Longer(Tensor rows, Tensor column)
        {
            Tensor longer = cat([rows, column], 1).MoveToOuterDisposeScope();
            rows.Dispose();
            return longer;
        }

        private static IEnumerable<int> StopIdsOf(ModelConfig config)
        {
            string path = Path.Combine(Path.GetDirectoryName(config.Path) ?? "", SettingsFile);
            ModelConfig[] sources = [.. File.Exists(path) ? [ModelConfig.Parse(path, File.ReadAllBytes(path))] : Array.Empty<ModelConfig>(), config, config.Section("text_config")];
            return sources.Select(source => source.OneOrMore("eos_token_id")).FirstOrDefault(found => found.Count > 0, []).Select(id => (int)id);
        }
    }
}
