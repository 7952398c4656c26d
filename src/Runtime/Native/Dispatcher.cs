using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Native;

/// <summary>
/// Calls any ATen operator by name, with autograd, through libtorch's stable C ABI (<c>torch_call_dispatcher</c>, libtorch 2.10 and
/// newer): the one way to operators that TorchSharp lacks. Arguments are given in schema order, none may be left out;
/// schema types <c>Scalar</c> and <c>Generator</c> cannot be passed.
/// </summary>
internal static unsafe partial class Dispatcher
{
    // The ABI version the argument conversion follows; newer libtorch accepts it.
    private const ulong BuildVersion = (2UL << 56) | (10UL << 48);

    /// <summary>Calls <c>aten::name.overload</c>, which must return one tensor.</summary>
    internal static Tensor Call(string name, string overload, params ReadOnlySpan<Argument> arguments)
    {
        ulong* stack = stackalloc ulong[Math.Max(arguments.Length, 1)];
        Invoke(name, overload, arguments, stack);
        return Tensor.UnsafeCreateTensor((IntPtr)stack[0]);
    }

    /// <summary>Calls <c>aten::name.overload</c>, which must return nothing.</summary>
    internal static void Run(string name, string overload, params ReadOnlySpan<Argument> arguments)
    {
        ulong* stack = stackalloc ulong[Math.Max(arguments.Length, 1)];
        Invoke(name, overload, arguments, stack);
    }

    private static void Invoke(string name, string overload, ReadOnlySpan<Argument> arguments, ulong* stack)
    {
        TorchLibraries.Require();
        for (int i = 0; i < arguments.Length; i++)
            stack[i] = arguments[i].ToStack();
        if (torch_call_dispatcher($"aten::{name}", overload, stack, BuildVersion) != 0)
            throw new RecipeException("FPO4903", $"libtorch refused aten::{name}({Describe(arguments)}); its own words are on standard error");
    }

    private static string Describe(ReadOnlySpan<Argument> arguments)
    {
        string[] words = new string[arguments.Length];
        for (int i = 0; i < words.Length; i++)
            words[i] = arguments[i].ToString();
        return string.Join(", ", words);
    }

    /// <summary>One argument, of the kinds the C ABI converts.</summary>
    internal readonly struct Argument
    {
        private readonly object? value;
        private readonly bool optional;

        private Argument(object? value, bool optional) => (this.value, this.optional) = (value, optional);

        public static implicit operator Argument(Tensor tensor) => new(tensor, false);
        public static implicit operator Argument(Tensor[] tensors) => new(tensors, false);
        public static implicit operator Argument(long[] values) => new(values, false);
        public static implicit operator Argument(long number) => new(number, false);
        public static implicit operator Argument(double number) => new(number, false);
        public static implicit operator Argument(bool flag) => new(flag, false);
        public static implicit operator Argument(string text) => new(text, false);

        /// <summary>Schema type <c>T?</c>: the value, or None for null.</summary>
        internal static Argument Optional(object? value) => new(value, true);

        internal static Argument None => new(null, true);

        internal ulong ToStack()
        {
            if (!optional)
                return Convert(value!);
            if (value is null)
                return 0;
            ulong* cell = (ulong*)NativeMemory.Alloc(sizeof(ulong)); // freed by the callee
            *cell = Convert(value);
            return (ulong)cell;
        }

        private static ulong Convert(object value) => value switch
        {
            Tensor tensor => Handle(tensor),
            Tensor[] tensors => List(tensors, Handle),
            long[] values => List(values, number => (ulong)number),
            long number => (ulong)number,
            double number => (ulong)BitConverter.DoubleToInt64Bits(number),
            bool flag => flag ? 1UL : 0UL,
            string text => Text(text),
            _ => throw new ArgumentException($"a {value.GetType().Name} cannot be passed to the dispatcher", nameof(value)),
        };

        public override string ToString() => value switch
        {
            Tensor tensor => $"{tensor.dtype}[{string.Join(", ", tensor.shape)}]",
            Tensor[] tensors => $"{tensors.Length} tensors",
            long[] values => $"[{string.Join(", ", values)}]",
            null => "None",
            _ => value.ToString()!,
        };
    }

    private static ulong Handle(Tensor tensor)
    {
        aoti_torch_new_tensor_handle(tensor.Handle, out IntPtr owned); // the callee frees it
        return (ulong)owned;
    }

    private static ulong List<T>(T[] values, Func<T, ulong> convert)
    {
        torch_new_list_reserve_size((nuint)values.Length, out IntPtr list);
        foreach (T value in values)
            torch_list_push_back(list, convert(value));
        return (ulong)list;
    }

    private static ulong Text(string text)
    {
        torch_new_string_handle(text, (nuint)text.Length, out IntPtr handle);
        return (ulong)handle;
    }

    [LibraryImport("torch_cpu", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int torch_call_dispatcher(string name, string overload, ulong* stack, ulong buildVersion);

    [LibraryImport("torch_cpu")]
    private static partial int aoti_torch_new_tensor_handle(IntPtr tensor, out IntPtr handle);

    [LibraryImport("torch_cpu")]
    private static partial int torch_new_list_reserve_size(nuint size, out IntPtr list);

    [LibraryImport("torch_cpu")]
    private static partial int torch_list_push_back(IntPtr list, ulong value);

    [LibraryImport("torch_cpu", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int torch_new_string_handle(string text, nuint length, out IntPtr handle);
}
