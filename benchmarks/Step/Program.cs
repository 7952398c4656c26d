// What a whole optimizer step takes with AdamW, SAM and FlatPO on published models with random weights, on a GPU: a JSON line a case and shape, with the fields of the peer's script.
//   dotnet run -c Release --project benchmarks/Step -- --case qwen2.5-1.5b --steps 50
//   dotnet run -c Release --project benchmarks/Step -- --cpu
// --case NAME ...   some cases; all unless given
// --shape RxT ...   some shapes of batches, rows by tokens; all unless given
// --method NAME ... some of adamw, sam, flatpo; all unless given
// --steps N         steps that count, in blocks of ten; 50 unless given
// --eager           no captured steps (FLATPO_CAPTURE=off)
// --checkpointing   layers keep their inputs alone and are run again in backward
// --trace           the losses of the first twenty steps too, and the tensors they perturbed: agree.py compares two such runs
// --cpu             small models on the CPU beside a loop written by hand: a ratio, in ten seconds or so
// A time is taken inside Train, through its progress: the loop reads losses back every ten steps, which waits for the device, so that from one block's first report to the next one's ten
// whole steps went by, batches and all. The first two blocks are left out; a figure is the median over the others, of a block's time divided by ten.
// tflops counts 2 operations a frozen weight and token forward and 2 backward, by the number of passes; mfu divides by what a bfloat16 matrix product of 8192³ reaches in the same process.
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using FlatPO.Recipes.Native;
using Step;
using Step.Small;
using static Step.Options;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
JsonSerializerOptions plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
try
{
    Options options = Options.Of(args);
    if (options.Eager)
        Environment.SetEnvironmentVariable("FLATPO_CAPTURE", "off");
    if (options.Cpu)
        return Print(Chosen(options.Cases, SmallCases.All, small => small.Name, "case").Select(small => small.Measure()));
    ICase[] cases = [.. Chosen(options.Cases, Cases.All, one => one.Name, "case").Select(one => one.Only(options))];
    if (!TorchLibraries.TryUseCuda(out string? reason))
        throw new ArgumentException($"nothing to measure: {reason}; --cpu measures small models without a GPU");
    Settings settings = new(options, Gpu.MatrixProduct());
    return Print(cases.SelectMany(one => one.Measure(settings)));
}
catch (ArgumentException error)
{
    Console.Error.WriteLine(error.Message);
    return 2;
}

int Print(IEnumerable<JsonObject> lines)
{
    foreach (JsonObject line in lines)
        Console.WriteLine(line.ToJsonString(plain));
    return 0;
}
