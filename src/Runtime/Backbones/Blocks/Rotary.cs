using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>Rotary position embedding: the frequencies of a head (transformers <c>modeling_rope_utils.py</c>).</summary>
internal sealed class Rotary
{
    private readonly Tensor frequencies; // float32 [width / 2]

    internal Rotary(WeightTable weights, RopeSettings settings, long headWidth)
    {
        using var scope = NewDisposeScope();
        // float32 step by step, as transformers computes them: at position 100,000 a rounding of 1e-7 is a turn of 0.01
        Tensor exponents = Scalars.Positions(headWidth / 2, CPU).mul(Scalars.Of(2)).to_type(ScalarType.Float32).div(Scalars.Of(headWidth));
        Tensor plain = tensor((float)settings.Theta).pow(exponents).reciprocal();
        Tensor scaled = settings.Kind switch
        {
            "linear" => plain.div(Scalars.Of(settings.Factor)),
            "llama3" => Llama3(plain, settings),
            _ => plain,
        };
        frequencies = weights.Keep(scaled.to(weights.Device));
    }

    /// <summary>How many numbers of a head they turn.</summary>
    internal long HeadWidth => 2 * frequencies.size(0);

    /// <summary>The turns of positions 0 … length − 1.</summary>
    internal RotaryTable At(long length, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        return RotaryTable.Of(Angles(Scalars.Positions(length, frequencies.device).unsqueeze(1)), dtype).MoveToOuterDisposeScope();
    }

    /// <summary>Positions [..., 1], or one for each frequency [..., width / 2], to the angles each frequency turns by: float32 [..., width / 2].</summary>
    internal Tensor Angles(Tensor positions)
    {
        using var scope = NewDisposeScope();
        return positions.to_type(ScalarType.Float32).mul(frequencies).MoveToOuterDisposeScope();
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
}

/// <summary>Cosine and sine of each position's turns: [T, width], broadcast over rows and heads, or [rows, 1, T, width].</summary>
internal sealed record RotaryTable(Tensor Cosine, Tensor Sine)
{
    /// <summary>The turns of angles [..., width / 2], which both halves of a head share.</summary>
    internal static RotaryTable Of(Tensor angles, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        Tensor both = cat([angles, angles], -1); // [..., width]
        return new RotaryTable(both.cos().to_type(dtype), both.sin().to_type(dtype)).MoveToOuterDisposeScope();
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
