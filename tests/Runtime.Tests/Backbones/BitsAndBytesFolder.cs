using System.Text.Json;
using System.Text.Json.Nodes;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Operations;
using FlatPO.Recipes.Tests.Operations;
using FlatPO.Recipes.Tests.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Backbones;

/// <summary>A model folder as transformers saves it after <c>load_in_4bit</c>.</summary>
internal static class BitsAndBytesFolder
{
    /// <summary>Rounds the linear layers of a folder's checkpoint but its head, and says so in config.json; the numbers by the weights' names.</summary>
    internal static Dictionary<string, float[]> Quantize(TemporaryFolder folder, bool nested, Action<string, Dictionary<string, Tensor>>? change = null)
    {
        using var scope = NewDisposeScope();
        Dictionary<string, Tensor> tensors = [];
        Dictionary<string, float[]> numbers = [];
        using (Backbone backbone = BackboneLoader.Load(folder.Path, CPU, Precision.Float32))
        {
            HashSet<Weight> linear = [.. backbone.Weights.Projections.Where(site => (site.Role & Sites.Head) == 0).Select(site => site.Weight)];
            foreach (Weight weight in backbone.Weights.All)
                if (linear.Contains(weight))
                    numbers[weight.Name] = Add(tensors, weight, nested);
                else
                    tensors[weight.Name] = weight.Frozen.clone();
            change?.Invoke(linear.First().Name, tensors);
        }
        SafetensorsWriter.Write(folder.File(Checkpoint.SingleFile), tensors);
        JsonObject config = JsonNode.Parse(File.ReadAllText(folder.File(ModelConfig.FileName)))!.AsObject();
        config["quantization_config"] = new JsonObject { ["quant_method"] = "bitsandbytes", ["load_in_4bit"] = true, ["load_in_8bit"] = false, ["bnb_4bit_quant_type"] = "nf4" };
        File.WriteAllText(folder.File(ModelConfig.FileName), config.ToJsonString());
        return numbers;
    }

    /// <summary>The JSON that stands beside a weight, with one entry changed.</summary>
    internal static void Say(Dictionary<string, Tensor> tensors, string weight, string key, object value)
    {
        string name = $"{weight}.quant_state.bitsandbytes__nf4";
        JsonObject state = JsonNode.Parse(tensors[name].bytes)!.AsObject();
        state[key] = JsonSerializer.SerializeToNode(value);
        tensors[name] = tensor(JsonSerializer.SerializeToUtf8Bytes(state));
    }

    private static float[] Add(Dictionary<string, Tensor> tensors, Weight weight, bool nested)
    {
        PlainNf4 plain = new(weight.Frozen.reshape(-1).Numbers());
        float[] scales = [.. Enumerable.Range(0, plain.Scales.Length).Select(plain.Scale)];
        Dictionary<string, object> state = new() { ["quant_type"] = "nf4", ["blocksize"] = 64, ["dtype"] = "bfloat16", ["shape"] = weight.Shape };
        tensors[weight.Name] = tensor(plain.Packed).unsqueeze(1);
        tensors[$"{weight.Name}.absmax"] = nested ? tensor(plain.Scales) : tensor(scales);
        tensors[$"{weight.Name}.quant_map"] = tensor(NormalFloat.Levels.ToArray());
        if (nested)
        {
            tensors[$"{weight.Name}.nested_absmax"] = tensor(plain.Nested);
            tensors[$"{weight.Name}.nested_quant_map"] = tensor(NormalFloat.Steps.ToArray());
            (state["nested_blocksize"], state["nested_dtype"], state["nested_offset"]) = (256, "float32", (double)plain.Offset);
        }
        tensors[$"{weight.Name}.quant_state.bitsandbytes__nf4"] = tensor(JsonSerializer.SerializeToUtf8Bytes(state));
        return plain.Numbers();
    }
}
