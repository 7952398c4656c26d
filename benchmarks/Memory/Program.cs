// The memory a recipe's plan predicts beside what a GPU's allocator reserved for two steps of it.
//   dotnet run -c Release --project benchmarks/Memory            every case, a process each: the allocator gives nothing back
//   dotnet run -c Release --project benchmarks/Memory -- Qwen    one
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Benchmarks;
using FlatPO.Recipes;
using FlatPO.Recipes.Native;
using Memory;

Dictionary<string, Action> cases = new(StringComparer.Ordinal)
{
    ["Qwen"] = () => Measure(Memory.Qwen.Plan.MemoryBytes, "Qwen/Qwen2.5-1.5B", folder => Memory.Qwen.Load(folder), Samples.Texts(16, 512)),
    ["UpperQwen"] = () => Measure(UpperQwen.Plan.MemoryBytes, "Qwen/Qwen2.5-0.5B", folder => UpperQwen.Load(folder), Samples.Texts(8, 512)),
    ["Opt"] = () => Measure(Opt.Plan.MemoryBytes, "facebook/opt-1.3b", folder => Opt.Load(folder), Samples.Texts(32, 256)),
    ["Roberta"] = () => Measure(Roberta.Plan.MemoryBytes, "FacebookAI/roberta-large", folder => Roberta.Load(folder), Samples.Verdicts(32, 256)),
    ["Vit"] = () => Measure(Vit.Plan.MemoryBytes, "google/vit-large-patch16-224", folder => Vit.Load(folder), Samples.Images(64, 224)),
    ["Clip"] = () => Measure(Clip.Plan.MemoryBytes, "openai/clip-vit-large-patch14", folder => Clip.Load(folder), Samples.Pairs(64, 224, 77)),
    ["QwenVl"] = () => Measure(QwenVl.Plan.MemoryBytes, "Qwen/Qwen2.5-VL-3B-Instruct", folder => QwenVl.Load(folder), Samples.Captions(4, 512)),
    ["Llama"] = () => Measure(Memory.Llama.Plan.MemoryBytes, "meta-llama/Llama-2-7b-hf", folder => Memory.Llama.Load(folder), Samples.Texts(2, 512)),
};

if (!TorchLibraries.TryUseCuda(out string? reason))
{
    Console.WriteLine($"nothing to measure: {reason}");
    return 0;
}
if (args is [string name])
{
    cases[name]();
    return 0;
}
foreach (string each in cases.Keys)
{
    using Process process = Process.Start(Environment.ProcessPath!, [Assembly.GetExecutingAssembly().Location, each]);
    await process.WaitForExitAsync();
    if (process.ExitCode != 0)
        return process.ExitCode;
}
return 0;

static void Measure<TExample>(long planned, string model, Func<string, IRecipe<TExample>> load, TExample[] examples)
{
    using RandomCheckpoint checkpoint = RandomCheckpoint.Of(model);
    GpuMemory.Wake();
    long before = GpuMemory.Free();
    using IRecipe<TExample> recipe = load(checkpoint.Folder);
    recipe.Train(examples);
    long reserved = before - GpuMemory.Free();
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{recipe.GetType().Name,-12}{model,-32}planned {planned >> 20,6} MiB   reserved {reserved >> 20,6} MiB   {100.0 * planned / reserved - 100,6:f1} %"));
}
