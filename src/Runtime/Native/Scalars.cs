using System.Collections.Concurrent;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Native;

/// <summary>
/// Numbers as TorchSharp's operators take them. TorchSharp reads a Scalar's handle and lets the object go, so that the garbage collector may free the number
/// while the native operator still reads it. Numbers that recur are held here for good; others are held by <c>using</c> around the call.
/// </summary>
internal static class Scalars
{
    private static readonly ConcurrentDictionary<double, Scalar> Fractions = [];
    private static readonly ConcurrentDictionary<long, Scalar> Integers = [];

    /// <summary>0.</summary>
    internal static Scalar Zero { get; } = Of(0);

    /// <summary>1.</summary>
    internal static Scalar One { get; } = Of(1);

    /// <summary>True.</summary>
    internal static Scalar True { get; } = true.ToScalar();

    /// <summary>A constant or setting: one of few.</summary>
    internal static Scalar Of(double value) => Fractions.GetOrAdd(value, static number => number.ToScalar());

    /// <summary>A constant or setting: one of few.</summary>
    internal static Scalar Of(long value) => Integers.GetOrAdd(value, static number => number.ToScalar());

    /// <summary>x + y. Tensor.add(Tensor) makes a Scalar of its own.</summary>
    internal static Tensor Plus(this Tensor x, Tensor y) => x.add(y, One);

    /// <summary>x · x. Tensor.square makes a Scalar of its own.</summary>
    internal static Tensor Squared(this Tensor x) => x.mul(x);

    /// <summary>A count that changes from step to step as a number on the device: float32, 0-dim. Nothing is copied there.</summary>
    internal static Tensor Count(long count, Device device)
    {
        using Scalar value = count.ToScalar();
        return full([], value, ScalarType.Float32, device);
    }

    /// <summary>0, 1, … length − 1: int64 [length]. torch.arange makes Scalars of its own.</summary>
    internal static Tensor Positions(long length, Device device)
    {
        using var scope = NewDisposeScope();
        return ones(length, ScalarType.Int64, device).cumsum(0).sub(One).MoveToOuterDisposeScope();
    }
}
