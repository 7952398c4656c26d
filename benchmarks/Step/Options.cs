using System.Globalization;

namespace Step;

/// <summary>What the command line asks for.</summary>
/// <param name="Cases">Names of cases; none for all.</param>
/// <param name="Steps">Steps that count.</param>
/// <param name="Eager">Whether steps are captured never.</param>
/// <param name="Cpu">Whether the small cases run instead.</param>
/// <param name="Checkpointing">Whether layers are run again in backward.</param>
internal sealed record Options(IReadOnlyList<string> Cases, int Steps, bool Eager, bool Cpu, bool Checkpointing)
{
    private const int FewestSteps = 50;

    /// <summary>Throws <see cref="ArgumentException"/> for an argument that means nothing.</summary>
    internal static Options Of(string[] arguments)
    {
        List<string> cases = [];
        Options options = new(cases, FewestSteps, false, false, false);
        for (int i = 0; i < arguments.Length; i++)
            switch (arguments[i])
            {
                case "--eager":
                    options = options with { Eager = true };
                    break;
                case "--checkpointing":
                    options = options with { Checkpointing = true };
                    break;
                case "--cpu":
                    options = options with { Cpu = true };
                    break;
                case "--steps":
                    options = options with { Steps = Number(arguments.ElementAtOrDefault(++i)) };
                    break;
                case "--case":
                    for (; i + 1 < arguments.Length && !arguments[i + 1].StartsWith("--", StringComparison.Ordinal); i++)
                        cases.Add(arguments[i + 1]);
                    break;
                default:
                    throw new ArgumentException($"'{arguments[i]}' means nothing; allowed are --case NAME ..., --steps N, --eager, --checkpointing, --cpu");
            }
        return options;
    }

    private static int Number(string? text) =>
        int.TryParse(text, CultureInfo.InvariantCulture, out int steps) && steps >= FewestSteps && steps % BlockClock.Steps == 0
            ? steps
            : throw new ArgumentException($"--steps {text}: allowed is a multiple of {BlockClock.Steps} from {FewestSteps} on");
}
