using FlatPO.Recipes.Native;
using TorchSharp;

namespace FlatPO.Recipes.Examples.QuickStart;

/// <summary>What the command line said.</summary>
internal sealed record Options
{
    internal const string Usage = """
        usage: dotnet run -c Release --project examples/QuickStart -- [options]
          --device cpu|cuda    where to train (default: the first GPU libtorch can use, else the CPU)
          --seeds N            runs of each method, at least 1 (default: 3)
          --out FOLDER         where adapters and plot go (default: artifacts/quickstart)
          --dump-logits FILE   also write 16 test images and the adapted model's logits, as safetensors
          --help               show this
        """;

    private const string Allowed = "--device, --seeds, --out, --dump-logits, --help";

    internal string? Device { get; private init; }
    internal int Seeds { get; private init; } = 3;
    internal string Out { get; private init; } = Path.Combine("artifacts", "quickstart");
    internal string? DumpLogits { get; private init; }
    internal bool Help { get; private init; }

    /// <summary>Reads the command line. Throws <see cref="FormatException"/>, naming what is wrong and what is allowed.</summary>
    internal static Options Parse(string[] args)
    {
        Options options = new();
        for (int i = 0; i < args.Length; i++)
            options = args[i] switch
            {
                "--help" => options with { Help = true },
                "--device" => options with { Device = OneOf(Value(args, ref i), "cpu", "cuda") },
                "--seeds" => options with { Seeds = Count(Value(args, ref i)) },
                "--out" => options with { Out = Value(args, ref i) },
                "--dump-logits" => options with { DumpLogits = Value(args, ref i) },
                string unknown => throw new FormatException($"unknown option '{unknown}'; allowed are {Allowed}"),
            };
        return options;
    }

    internal torch.Device OpenDevice() => Device switch
    {
        "cpu" => Devices.Cpu,
        "cuda" => Devices.Cuda(),
        _ => Devices.Or(null),
    };

    private static string Value(string[] args, ref int i) =>
        ++i < args.Length ? args[i] : throw new FormatException($"{args[i - 1]} needs a value");

    private static string OneOf(string value, params string[] allowed) =>
        allowed.Contains(value) ? value : throw new FormatException($"--device is '{value}'; allowed are {string.Join(", ", allowed)}");

    private static int Count(string value) =>
        int.TryParse(value, out int count) && count >= 1 ? count : throw new FormatException($"--seeds is '{value}'; allowed are whole numbers from 1");
}
