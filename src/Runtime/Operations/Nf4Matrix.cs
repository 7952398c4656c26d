using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Operations;

/// <summary>
/// A frozen matrix in 4 bits a number with doubly quantised scales (QLoRA, arXiv 2305.14314, §3; bitsandbytes <c>functional.py</c>, <c>quantize_4bit</c>): blocks of 64 numbers are levels
/// of <see cref="NormalFloat"/> times the block's largest magnitude; what these scales are off their mean is rounded to 8 bits, in blocks of 256. That makes 4.127 bits a number.
/// </summary>
internal sealed class Nf4Matrix : IDisposable
{
    /// <summary>Numbers that share a scale.</summary>
    internal const long Block = 64;

    /// <summary>Scales that share a scale of their own.</summary>
    internal const long ScaleBlock = 256;

    /// <summary>What it is computed with.</summary>
    internal const ScalarType Format = ScalarType.BFloat16;

    // Numbers at a time: it bounds the float32 between the packed and the target, whatever the matrix.
    private const long ChunkBlocks = (1 << 24) / Block;

    // of the kernel
    private const uint Threads = 256;
    private const long NumbersOfThread = 32;

    private const double SmallestScale = 1.1754943508222875e-38; // of float32: a block of zeros must not divide by zero

    private readonly NormalFloat format;
    private readonly Tensor packed, scales;
    private readonly Tensor? nested, offset;

    private Nf4Matrix(NormalFloat format, IReadOnlyList<long> shape, Nf4Parts parts)
    {
        (this.format, Shape, packed, scales, nested, offset) = (format, shape, parts.Packed, parts.Scales, parts.Nested, parts.Offset);
        foreach (Tensor? part in (Tensor?[])[packed, scales, nested, offset])
            part?.DetachFromDisposeScope();
    }

    /// <summary>[out, in].</summary>
    internal IReadOnlyList<long> Shape { get; }

    /// <summary>Where it lies.</summary>
    internal Device Device => packed.device;

    /// <summary>Rounds numbers [out, in] of any floating-point format, on their device.</summary>
    internal static Nf4Matrix Of(Tensor numbers, NormalFloat format)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        long blocks = Blocks(numbers.numel(), Block);
        Tensor flat = Padded(numbers.reshape(-1), blocks * Block);
        Tensor packed = empty(blocks * Block / 2, ScalarType.Byte, flat.device), scales = empty(blocks, float32, flat.device);
        for (long first = 0; first < blocks; first += ChunkBlocks)
        {
            using var chunk = NewDisposeScope();
            long count = Math.Min(ChunkBlocks, blocks - first);
            (Tensor codes, Tensor largest) = Rounded(flat.narrow(0, first * Block, count * Block).to_type(ScalarType.Float32).view(-1, Block), format.NearestLevels);
            Tensor pairs = codes.view(-1, 2);
            packed.narrow(0, first * Block / 2, count * Block / 2).copy_(pairs.select(1, 0).mul(Scalars.Of(16L)).Plus(pairs.select(1, 1)));
            scales.narrow(0, first, count).copy_(largest);
        }
        Tensor offset = scales.mean();
        (Tensor steps, Tensor nested) = Rounded(Padded(scales.sub(offset), Blocks(blocks, ScaleBlock) * ScaleBlock).view(-1, ScaleBlock), format.NearestSteps);
        return new Nf4Matrix(format, [.. numbers.shape], new(packed, steps.to_type(ScalarType.Byte).view(-1), nested, offset));
    }

    /// <summary>Takes what bitsandbytes stored of a matrix; the last block of each kind may be short.</summary>
    internal static Nf4Matrix Of(Nf4Parts stored, IReadOnlyList<long> shape, NormalFloat format)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        long blocks = Blocks(shape[0] * shape[1], Block);
        Tensor packed = Padded(stored.Packed.reshape(-1), blocks * Block / 2);
        return stored.Nested is { } nested
            ? new(format, shape, new(packed, Padded(stored.Scales, Blocks(blocks, ScaleBlock) * ScaleBlock), nested.alias(), stored.Offset!.alias()))
            : new(format, shape, new(packed, stored.Scales.alias(), null, null));
    }

    /// <summary>x [..., in] times the matrix, with b [out] added where there is one, in x's number format: [..., out]. Autograd keeps none of the numbers.</summary>
    internal Tensor Linear(Tensor x, Tensor? bias) => new FrozenLinear([this], bias).Forward(x);

    /// <summary>The numbers it stands for, [out, in].</summary>
    internal Tensor Numbers(ScalarType dtype)
    {
        Tensor numbers = empty([.. Shape], dtype, packed.device);
        WriteTo(numbers);
        return numbers;
    }

    /// <summary>Writes the numbers it stands for over others, [out, in] without a gap.</summary>
    internal void WriteTo(Tensor numbers)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        if (KernelOf(numbers) is { } kernel)
        {
            Launch(kernel, numbers);
            return;
        }
        long count = Shape[0] * Shape[1], blocks = Blocks(count, Block);
        Tensor ofBlocks = BlockScales(), flat = numbers.view(-1);
        for (long first = 0; first < blocks; first += ChunkBlocks)
        {
            using var chunk = NewDisposeScope();
            long length = Math.Min(ChunkBlocks, blocks - first), begin = first * Block, wanted = Math.Min(length * Block, count - begin); // the last block may be short
            Tensor levels = format.LevelsOf(packed.narrow(0, begin / 2, length * Block / 2)).view(-1, Block).mul_(ofBlocks.narrow(0, first, length).unsqueeze(1));
            flat.narrow(0, begin, wanted).copy_(levels.view(-1).narrow(0, 0, wanted));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        packed.Dispose();
        scales.Dispose();
        nested?.Dispose();
        offset?.Dispose();
    }

    /// <summary>The kernel that writes numbers of this format where they lie; null where there is none.</summary>
    private static Kernel? KernelOf(Tensor numbers) => numbers.dtype is ScalarType.BFloat16 or ScalarType.Float32 && Kernels.Usable(numbers)
        ? Kernel.Of("nf4.cu", numbers.dtype == ScalarType.BFloat16 ? "nf4_numbers_bf16" : "nf4_numbers_float")
        : null;

    private void Launch(Kernel kernel, Tensor numbers)
    {
        long count = Shape[0] * Shape[1], threads = Blocks(count, NumbersOfThread);
        kernel.Launch(((uint)Blocks(threads, Threads), 1, 1), Threads, 0, packed, format.Pairs, nested is null ? null : scales, format.StepTable, nested, offset, nested is null ? scales : null, numbers, count);
    }

    /// <summary>The scale of each block, float32 [blocks] or a little more.</summary>
    private Tensor BlockScales() => nested is null
        ? scales
        : format.StepsOf(scales).view(-1, ScaleBlock).mul(nested.unsqueeze(1)).Plus(offset!).view(-1);

    /// <summary>Codes of rows [n, width], each over its largest magnitude, and those magnitudes [n].</summary>
    private static (Tensor Codes, Tensor Largest) Rounded(Tensor rows, Func<Tensor, Tensor> nearest)
    {
        Tensor largest = rows.abs().amax([1]);
        return (nearest(rows.mul(largest.clamp_min(Scalars.Of(SmallestScale)).reciprocal().unsqueeze(1))), largest);
    }

    private static long Blocks(long count, long size) => (count + size - 1) / size;

    /// <summary>Flat numbers with zeros behind them.</summary>
    private static Tensor Padded(Tensor flat, long length) =>
        flat.size(0) == length ? flat.alias() : cat([flat, zeros(length - flat.size(0), flat.dtype, flat.device)]);
}

/// <summary>The tensors of a matrix in 4 bits.</summary>
/// <param name="Packed">Two codes a byte, row by row.</param>
/// <param name="Scales">A scale a block: bytes where they are quantised again, float32 where they are not.</param>
/// <param name="Nested">The largest distance of 256 scales from the offset, float32; null where scales are not quantised.</param>
/// <param name="Offset">The mean of the scales, 0-dim.</param>
internal sealed record Nf4Parts(Tensor Packed, Tensor Scales, Tensor? Nested, Tensor? Offset);
