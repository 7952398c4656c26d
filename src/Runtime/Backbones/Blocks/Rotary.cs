using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>Rotary position embedding: the frequencies of a head (transformers <c>modeling_rope_utils.py</c>).</summary>
internal sealed class Rotary
{
    private readonly RopeSettings settings;
    private readonly Tensor exponents; // float32 [width / 2]
    private readonly Tensor frequencies; // float32 [width / 2]

    internal Rotary(WeightTable weights, RopeSettings settings, long headWidth)
    {
        this.settings = settings;
        HeadWidth = headWidth;
        using var scope = NewDisposeScope();
        // float32 step by step, as transformers computes them: at position 100,000 a rounding of 1e-7 is a turn of 0.01
        Tensor steps = Scalars.Positions(headWidth / 2, CPU).mul(Scalars.Of(2)).to_type(ScalarType.Float32).div(Scalars.Of(headWidth));
        Tensor plain = tensor((float)settings.Theta).pow(steps).reciprocal();
        Tensor scaled = settings.Kind switch
        {
            "linear" => plain.div(Scalars.Of(settings.Factor)),
            "llama3" => Llama3(plain, settings),
            "yarn" => Yarn(plain),
            _ => plain,
        };
        exponents = weights.Keep(steps.to(weights.Device));
        frequencies = weights.Keep(scaled.to(weights.Device));
    }

    /// <summary>Whether the frequencies depend on how long a text is, its padding counted.</summary>
    internal bool DependsOnLength => settings.Kind == "dynamic";

    /// <summary>How many numbers of a head they turn.</summary>
    internal long HeadWidth { get; }

    /// <summary>The turns of positions <paramref name="first"/> … <paramref name="end"/> − 1.</summary>
    internal RotaryTable At(long first, long end, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        return At(Scalars.Positions(end, frequencies.device).narrow(0, first, end - first).unsqueeze(1), end, dtype).MoveToOuterDisposeScope();
    }

    /// <summary>The turns of positions [..., 1], or of one for each frequency [..., width / 2], in a text of <paramref name="context"/> tokens.</summary>
    internal RotaryTable At(Tensor positions, long context, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        return RotaryTable.Of(Angles(positions, context), dtype, settings.AttentionFactor).MoveToOuterDisposeScope();
    }

    /// <summary>Positions [..., 1], or one for each frequency [..., width / 2], to the angles each frequency turns by: float32 [..., width / 2].</summary>
    internal Tensor Angles(Tensor positions, long context = 0)
    {
        using var scope = NewDisposeScope();
        return positions.to_type(ScalarType.Float32).mul(Frequencies(context)).MoveToOuterDisposeScope();
    }

    // dynamic: beyond the original context the base grows with the text, so that its end turns as far as the original's did. A short text turns as without.
    private Tensor Frequencies(long context)
    {
        if (settings.Kind != "dynamic" || context <= settings.OriginalContext)
            return frequencies;
        double stretch = settings.Factor * context / settings.OriginalContext - (settings.Factor - 1);
        float theta = (float)(settings.Theta * Math.Pow(stretch, HeadWidth / (HeadWidth - 2.0)));
        using Scalar number = theta.ToScalar();
        using Tensor scaled = full([], number, ScalarType.Float32, frequencies.device); // a kernel, no copy from the host
        return scaled.pow(exponents).reciprocal();
    }

    // Long wavelengths are slowed down by the factor, short ones left alone, those between blended.
    private static Tensor Llama3(Tensor plain, RopeSettings settings)
    {
        Tensor wavelength = tensor((float)(2 * Math.PI)).div(plain);
        Tensor smooth = tensor((float)settings.OriginalContext).div(wavelength).sub(Scalars.Of(settings.LowFrequencyFactor))
            .div(Scalars.Of(settings.HighFrequencyFactor - settings.LowFrequencyFactor));
        Tensor slow = plain.div(Scalars.Of(settings.Factor));
        Tensor blended = smooth.neg().add(Scalars.One).mul(slow).Plus(smooth.mul(plain));
        Tensor isLong = wavelength.gt(Scalars.Of(settings.OriginalContext / settings.LowFrequencyFactor));
        Tensor isShort = wavelength.lt(Scalars.Of(settings.OriginalContext / settings.HighFrequencyFactor));
        return where(isLong, slow, where(isShort, plain, blended));
    }

    // YaRN (arXiv 2309.00071): frequencies of many turns are left alone, those of few slowed down by the factor, those between blended by their number.
    private Tensor Yarn(Tensor plain)
    {
        (double low, double high) = (NumberOf(settings.FastTurns), NumberOf(settings.SlowTurns));
        if (settings.Truncate)
            (low, high) = (Math.Floor(low), Math.Ceiling(high));
        (low, high) = (Math.Max(low, 0), Math.Min(high, HeadWidth - 1));
        const double Singular = 0.001; // transformers' guard against low = high
        Tensor ramp = Scalars.Positions(HeadWidth / 2, CPU).to_type(ScalarType.Float32).sub(Scalars.Of(low)).div(Scalars.Of(low == high ? Singular : high - low)).clamp(Scalars.Zero, Scalars.One);
        Tensor slow = plain.div(Scalars.Of(settings.Factor));
        return slow.mul(ramp).Plus(plain.mul(ramp.neg().add(Scalars.One)));
    }

    // The number of the frequency that turns so often in the original context.
    private double NumberOf(double turns) => HeadWidth * Math.Log(settings.OriginalContext / (turns * 2 * Math.PI)) / (2 * Math.Log(settings.Theta));
}

/// <summary>Cosine and sine of each position's turns: [T, width], broadcast over rows and heads, or [rows, 1, T, width].</summary>
internal sealed record RotaryTable(Tensor Cosine, Tensor Sine)
{
    /// <summary>The turns of angles [..., width / 2], which both halves of a head share, multiplied by <paramref name="factor"/>.</summary>
    internal static RotaryTable Of(Tensor angles, ScalarType dtype, double factor = 1)
    {
        using var scope = NewDisposeScope();
        Tensor both = cat([angles, angles], -1); // [..., width]
        return new RotaryTable(Scaled(both.cos()), Scaled(both.sin())).MoveToOuterDisposeScope();

        Tensor Scaled(Tensor turns) => (factor == 1 ? turns : turns.mul(Scalars.Of(factor))).to_type(dtype);
    }

    /// <summary>Hands both tensors to the scope around the current one.</summary>
    internal RotaryTable MoveToOuterDisposeScope()
    {
        Cosine.MoveToOuterDisposeScope();
        Sine.MoveToOuterDisposeScope();
        return this;
    }

    /// <summary>Turns the pairs (i, i + width / 2) of x [rows, heads, T, width] (transformers <c>apply_rotary_pos_emb</c>).</summary>
    internal Tensor Turn(Tensor x)
    {
        using var scope = NewDisposeScope();
        long half = x.size(3) / 2;
        Tensor turned = cat([x.narrow(3, half, half).neg(), x.narrow(3, 0, half)], 3);
        return x.mul(Cosine).Plus(turned.mul(Sine)).MoveToOuterDisposeScope();
    }
}
