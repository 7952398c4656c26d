using System.Globalization;

namespace Step;

/// <summary>What the command line asks for.</summary>
/// <param name="Cases">Names of cases; none for all.</param>
/// <param name="Steps">Steps that count.</param>
/// <param name="Eager">Whether steps are captured never.</param>
/// <param name="Cpu">Whether the small cases run instead.</param>
/// <param name="Checkpointing">Whether layers are run again in backward.</param>
/// <param name="Trace">Whether losses and perturbed tensors are printed too.</param>
/// <param name="Shapes">Shapes of batches, such as 8x512; none for all.</param>
/// <param name="Methods">Names of methods; none for all.</param>
internal sealed record Options(IReadOnlyList<string> Cases, int Steps, bool Eager, bool Cpu, bool Checkpointing, bool Trace, IReadOnlyList<string> Shapes, IReadOnlyList<string> Methods)
{
    private const int FewestSteps = 50;

    /// <summary>Throws <see cref="ArgumentException"/> for an argument that means nothing.</summary>
    internal static Options Of(string[] arguments)
    {
        List<string> cases = [], shapes = [], methods = [];
        Options options = new(cases, FewestSteps, false, false, false, false, shapes, methods);
        for (int i = 0; i < arguments.Length; i++)
            switch (arguments[i])
            {
                case "--eager":
                    options = options with { Eager = true };
                    break;
                case "--checkpointing":
                    options = options with { Checkpointing = true };
                    break;
                case "--trace":
                    options = options with { Trace = true };
                    break;
                case "--cpu":
                    options = options with { Cpu = true };
                    break;
                case "--steps":
                    options = options with { Steps = Number(arguments.ElementAtOrDefault(++i)) };
                    break;
                case "--case":
                    Take(cases, arguments, ref i);
                    break;
                case "--shape":
                    Take(shapes, arguments, ref i);
                    break;
                case "--method":
                    Take(methods, arguments, ref i);
                    break;
                default:
                    throw new ArgumentException($"'{arguments[i]}' means nothing; allowed are --case NAME ..., --shape ROWSxTOKENS ..., --method NAME ..., --steps N, --eager, --checkpointing, --trace, --cpu");
            }
        return options;
    }

    /// <summary>Those of all with the names that are wanted, all where none is. Throws <see cref="ArgumentException"/> for a name that none has.</summary>
    internal static T[] Chosen<T>(IReadOnlyList<string> wanted, T[] all, Func<T, string> name, string what)
    {
        string[] names = [.. all.Select(name)];
        if (wanted.FirstOrDefault(one => !names.Contains(one)) is { } unknown)
            throw new ArgumentException($"there is no {what} '{unknown}'; allowed are {string.Join(", ", names)}");
        return wanted.Count == 0 ? all : [.. wanted.Select(one => all[Array.IndexOf(names, one)])];
    }

    // what stands behind an option, up to the next one
    private static void Take(List<string> names, string[] arguments, ref int at)
    {
        for (; at + 1 < arguments.Length && !arguments[at + 1].StartsWith("--", StringComparison.Ordinal); at++)
            names.Add(arguments[at + 1]);
    }

    private static int Number(string? text) =>
        int.TryParse(text, CultureInfo.InvariantCulture, out int steps) && steps >= FewestSteps && steps % BlockClock.Steps == 0
            ? steps
            : throw new ArgumentException($"--steps {text}: allowed is a multiple of {BlockClock.Steps} from {FewestSteps} on");
}
