using System.Buffers.Binary;
using System.Text;

namespace FlatPO.Recipes.Native;

/// <summary>Rewrites one versioned symbol that a 64-bit ELF library asks of another library (ELF gABI, symbol versioning).</summary>
internal static class ElfVersionNeed
{
    private const uint VersionNeedSection = 0x6ffffffe; // SHT_GNU_verneed

    /// <summary>A symbol and the version that provides it.</summary>
    internal readonly record struct Symbol(string Name, string Version);

    /// <summary>A copy of <paramref name="library"/> that asks for <paramref name="with"/> where it asked for <paramref name="need"/>; null if it does not ask for it.</summary>
    internal static byte[]? Replace(byte[] library, Symbol need, Symbol with)
    {
        byte[] copy = [.. library];
        return ReplaceString(copy, need.Name, with.Name)
            && ReplaceString(copy, need.Version, with.Version)
            && ReplaceHash(copy, Hash(need.Version), Hash(with.Version)) ? copy : null;
    }

    private static bool ReplaceString(Span<byte> file, string old, string replacement)
    {
        byte[] pattern = [0, .. Encoding.ASCII.GetBytes(old), 0];
        int at = file.IndexOf(pattern);
        if (at < 0 || replacement.Length > old.Length)
            return false;
        Span<byte> target = file.Slice(at + 1, old.Length);
        target.Clear();
        Encoding.ASCII.GetBytes(replacement, target);
        return true;
    }

    /// <summary>Walks .gnu.version_r: each Verneed (one library) chains its Vernaux entries (one version each, hash first).</summary>
    private static bool ReplaceHash(Span<byte> file, uint old, uint replacement)
    {
        long sections = BinaryPrimitives.ReadInt64LittleEndian(file[0x28..]);
        int size = BinaryPrimitives.ReadUInt16LittleEndian(file[0x3A..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(file[0x3C..]);
        for (int index = 0; index < count; index++)
        {
            Span<byte> header = file.Slice((int)sections + index * size, size);
            if (BinaryPrimitives.ReadUInt32LittleEndian(header[4..]) != VersionNeedSection)
                continue;
            int need = (int)BinaryPrimitives.ReadInt64LittleEndian(header[0x18..]);
            for (int step = 1; step != 0; need += step)
            {
                int auxiliaries = BinaryPrimitives.ReadUInt16LittleEndian(file[(need + 2)..]);
                int auxiliary = need + BinaryPrimitives.ReadInt32LittleEndian(file[(need + 8)..]);
                for (int k = 0; k < auxiliaries; k++)
                {
                    if (BinaryPrimitives.ReadUInt32LittleEndian(file[auxiliary..]) == old)
                    {
                        BinaryPrimitives.WriteUInt32LittleEndian(file[auxiliary..], replacement);
                        return true;
                    }
                    auxiliary += BinaryPrimitives.ReadInt32LittleEndian(file[(auxiliary + 12)..]);
                }
                step = BinaryPrimitives.ReadInt32LittleEndian(file[(need + 12)..]);
            }
        }
        return false;
    }

    /// <summary>The System V ELF hash.</summary>
    private static uint Hash(string name)
    {
        uint hash = 0;
        foreach (char letter in name)
        {
            hash = (hash << 4) + letter;
            uint high = hash & 0xf0000000;
            hash = (hash ^ (high >> 24)) & ~high;
        }
        return hash;
    }
}
