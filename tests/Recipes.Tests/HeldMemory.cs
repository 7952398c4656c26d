using System.Runtime.InteropServices;

namespace Recipes.Tests;

/// <summary>Bytes that glibc's malloc has given out to this process and not got back, whatever pages they lie on: those of tensors among them, those of managed objects not.</summary>
internal static class HeldMemory
{
    private const int Patience = 50;

    /// <summary>The number once the garbage collector frees no more tensors.</summary>
    internal static long Settled()
    {
        long held = Collected();
        for (int round = 0; round < Patience; round++)
        {
            long next = Collected();
            if (next == held)
                return held;
            held = next;
        }
        throw new InvalidOperationException($"memory is still given out or freed after {Patience} collections: {held} bytes are held");
    }

    private static long Collected()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Info info = mallinfo2();
        return (long)(info.InUse + info.Mapped);
    }

    /// <summary><c>struct mallinfo2</c> of malloc.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Info
    {
        private readonly nuint arena, ordblks, smblks, hblks;
        public readonly nuint Mapped; // hblkhd
        private readonly nuint usmblks, fsmblks;
        public readonly nuint InUse; // uordblks
        private readonly nuint fordblks, keepcost;
    }

    [DllImport("libc")]
    private static extern Info mallinfo2();
}
