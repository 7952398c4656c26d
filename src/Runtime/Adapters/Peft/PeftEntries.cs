using System.Diagnostics;
using System.Text.Json.Nodes;

namespace FlatPO.Recipes.Adapters.Peft;

/// <summary>
/// Which entries of adapter_config.json are known: those that are written, those a method names (<see cref="AdapterMethod.KnownEntries"/>) and those listed here.
/// peft 0.21 drops what it does not know with a warning (<c>config.py</c>, <c>from_pretrained</c>); here it is kept.
/// </summary>
internal static class PeftEntries
{
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        // of every method: where the folder comes from, and which modules it means (the list of tensors judges those)
        "auto_mapping", "base_model_name_or_path", "inference_mode", "peft_version", "revision", "runtime_config", "task_type",
        "exclude_modules", "layers_pattern", "layers_to_transform", "target_modules",
        // of LoRA, without effect once an adapter is trained: how its numbers began, what spared memory, settings of variants that are off
        "corda_config", "ensure_weight_tying", "eva_config", "loftq_config", "lora_ga_config", "megatron_config", "megatron_core", "qalora_group_size", "velora_config",
    };

    /// <summary>
    /// The entries of <paramref name="config"/> that say something, neither null, false nor empty, and that nobody knows; <paramref name="written"/> is the file
    /// that would be written. Warns of them.
    /// </summary>
    internal static IReadOnlyDictionary<string, JsonNode> Foreign(AdapterConfig config, AdapterMethod method, JsonObject written)
    {
        Dictionary<string, JsonNode> foreign = config.Keys
            .Where(key => config.IsUsed(key) && !Known.Contains(key) && !written.ContainsKey(key) && !method.KnownEntries.Contains(key))
            .ToDictionary(key => key, config.Copy, StringComparer.Ordinal);
        if (foreign.Count > 0)
            Trace.TraceWarning($"{config.Path}, of peft {config.PeftVersion ?? "(it does not say which)"}, has entries unknown to this library, which writes the layout of peft "
                + $"{PeftFolder.PeftVersion}: {string.Join(", ", foreign.Select(entry => $"{entry.Key} = {entry.Value.ToJsonString()}"))}; they change nothing here and are written back as they are");
        return foreign;
    }
}
