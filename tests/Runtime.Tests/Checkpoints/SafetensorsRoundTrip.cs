using CsCheck;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Checkpoints;

public sealed class SafetensorsRoundTrip
{
    public static TheoryData<ScalarType> Formats =>
    [
        ScalarType.Float64, ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16,
        ScalarType.Int64, ScalarType.Int32, ScalarType.Int16, ScalarType.Int8, ScalarType.Byte, ScalarType.Bool,
    ];

    [Theory]
    [MemberData(nameof(Formats))]
    public void Every_format_comes_back_bit_for_bit(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using TemporaryFolder folder = new();
        Tensor values = dtype == ScalarType.Bool ? randn(3, 5).gt(0) : randn(3, 5).mul(40).to_type(dtype);
        Dictionary<string, Tensor> written = new()
        {
            ["matrix"] = values,
            ["scalar"] = values[0, 0],
            ["empty"] = zeros(new long[] { 2, 0, 3 }, dtype: dtype),
            ["transposed"] = values.t(),
        };

        SafetensorsWriter.Write(folder.File("a.safetensors"), written);

        using SafetensorsFile file = SafetensorsFile.Open(folder.File("a.safetensors"));
        foreach ((string name, Tensor tensor) in written)
            AssertSame(tensor, file.Read(name));
        Assert.Equal("pt", file.Metadata["format"]);
    }

    [Fact]
    public void Nan_payloads_infinities_and_negative_zero_of_bfloat16_survive()
    {
        using var scope = NewDisposeScope();
        using TemporaryFolder folder = new();
        byte[] patterns = [.. Enumerable.Range(0, 1 << 16).SelectMany(bits => BitConverter.GetBytes((ushort)bits))]; // every bfloat16 there is
        Tensor all = empty(1 << 16, bfloat16);
        all.bytes = patterns;

        SafetensorsWriter.Write(folder.File("a.safetensors"), new Dictionary<string, Tensor> { ["all"] = all });

        using SafetensorsFile file = SafetensorsFile.Open(folder.File("a.safetensors"));
        Assert.Equal(patterns, file.Read("all").bytes.ToArray());
    }

    [Fact]
    public void Any_set_of_tensors_comes_back()
    {
        ScalarType[] dtypes = [ScalarType.Float32, ScalarType.BFloat16, ScalarType.Byte, ScalarType.Int64, ScalarType.Float16];
        Gen<(string, long[], ScalarType)> tensor = Gen.Select(
            Gen.String[Gen.Char.AlphaNumeric, 1, 12], Gen.Long[0, 5].Array[0, 4], Gen.Int[0, dtypes.Length - 1].Select(i => dtypes[i]));
        using TemporaryFolder folder = new();

        tensor.Array[0, 8].Sample(
            specification =>
            {
                using var scope = NewDisposeScope();
                Dictionary<string, Tensor> written = [];
                foreach ((string name, long[] shape, ScalarType dtype) in specification)
                    written[name + "é\"\\"] = randint(0, 100, shape).to_type(dtype);
                string path = folder.File($"{Guid.NewGuid():N}.safetensors");
                SafetensorsWriter.Write(path, written);
                using SafetensorsFile file = SafetensorsFile.Open(path);
                Assert.Equal(written.Keys.Order(StringComparer.Ordinal), file.Entries.Keys.Order(StringComparer.Ordinal));
                foreach ((string name, Tensor value) in written)
                    AssertSame(value, file.Read(name));
            },
            iter: 100, threads: 1);
    }

    [Fact]
    public void A_tensor_the_file_does_not_align_is_read_all_the_same()
    {
        using var scope = NewDisposeScope();
        using TemporaryFolder folder = new();
        string header = """{"flag":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"x":{"dtype":"F32","shape":[2],"data_offsets":[3,11]}}""";
        byte[] data = [7, 8, 9, .. BitConverter.GetBytes(1.5f), .. BitConverter.GetBytes(-2f)];
        File.WriteAllBytes(folder.File("a.safetensors"), [.. BitConverter.GetBytes((long)header.Length), .. System.Text.Encoding.UTF8.GetBytes(header), .. data]);

        using SafetensorsFile file = SafetensorsFile.Open(folder.File("a.safetensors"));

        Assert.Equal([1.5f, -2f], file.Read("x").data<float>().ToArray());
    }

    [Fact]
    public void Reading_converts_to_the_number_format_asked_for()
    {
        using var scope = NewDisposeScope();
        using TemporaryFolder folder = new();
        Tensor values = randn(17);
        SafetensorsWriter.Write(folder.File("a.safetensors"), new Dictionary<string, Tensor> { ["x"] = values });
        using SafetensorsFile file = SafetensorsFile.Open(folder.File("a.safetensors"));

        AssertSame(values.to_type(ScalarType.BFloat16), file.Read("x", CPU, ScalarType.BFloat16));
    }

    [Theory]
    [InlineData(ScalarType.BFloat16)] // as it is stored
    [InlineData(ScalarType.Float32)]
    public void Tensors_of_several_chunks_come_back_whole_and_in_order(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using TemporaryFolder folder = new();
        File.Copy(Path.Combine(Golden.Backbone("qwen2"), ModelConfig.FileName), folder.File(ModelConfig.FileName));
        long[] sizes = [TensorStream.ChunkBytes + 3, 5, TensorStream.ChunkBytes / 2, TensorStream.ChunkBytes / 2 + 1]; // in numbers of two bytes
        Dictionary<string, Tensor> written = sizes.Select((size, i) => (Name: $"t{i}", Tensor: randn(size).to_type(ScalarType.BFloat16))).ToDictionary(pair => pair.Name, pair => pair.Tensor);
        SafetensorsWriter.Write(folder.File(Checkpoint.SingleFile), written);
        using Checkpoint checkpoint = Checkpoint.Open(folder.Path);

        Tensor[] read = checkpoint.Read([.. written.Keys.Reverse()], CPU, dtype);

        Assert.All(written.Values.Reverse().Zip(read), pair => Assert.True(pair.First.to_type(dtype).eq(pair.Second).all().item<bool>()));
    }

    [Fact]
    public void A_file_cut_short_while_it_is_open_is_an_error_that_names_the_tensor()
    {
        using var scope = NewDisposeScope();
        using TemporaryFolder folder = new();
        SafetensorsWriter.Write(folder.File("a.safetensors"), new Dictionary<string, Tensor> { ["x"] = full(300, 1f) });
        using SafetensorsFile file = SafetensorsFile.Open(folder.File("a.safetensors"));
        using (FileStream stream = new(folder.File("a.safetensors"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            stream.SetLength(stream.Length - 100);

        var error = Assert.Throws<RecipeException>(() => file.Read("x"));

        Assert.Equal("FPO4002", error.Id);
        Assert.Contains("tensor 'x' is cut", error.Message);
    }

    [Fact]
    public void Data_begins_at_a_multiple_of_eight_and_names_are_in_order()
    {
        using var scope = NewDisposeScope();
        using TemporaryFolder folder = new();
        SafetensorsWriter.Write(folder.File("a.safetensors"), new Dictionary<string, Tensor> { ["b"] = ones(1), ["a"] = ones(2), ["c10"] = ones(3) });

        byte[] bytes = File.ReadAllBytes(folder.File("a.safetensors"));

        Assert.Equal(0, BitConverter.ToInt64(bytes) % 8);
        using SafetensorsFile file = SafetensorsFile.Open(folder.File("a.safetensors"));
        Assert.Equal(["a", "b", "c10"], file.Entries.Values.OrderBy(entry => entry.Begin).Select(entry => entry.Name));
    }

    [Fact]
    public void A_number_format_without_a_name_is_refused_before_anything_is_written()
    {
        using var scope = NewDisposeScope();
        using TemporaryFolder folder = new();

        var error = Assert.Throws<RecipeException>(() =>
            SafetensorsWriter.Write(folder.File("a.safetensors"), new Dictionary<string, Tensor> { ["c"] = zeros(1, complex64) }));

        Assert.Equal("FPO4002", error.Id);
        Assert.Contains("'c'", error.Message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public void A_failure_half_way_leaves_the_old_file_and_nothing_else()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.File("a"), "old");

        Assert.Throws<InvalidTimeZoneException>(() => AtomicFile.Write(folder.File("a"), stream =>
        {
            stream.Write("half of the new"u8);
            throw new InvalidTimeZoneException();
        }));

        Assert.Equal("old", File.ReadAllText(folder.File("a")));
        Assert.Single(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public void A_new_file_replaces_the_old_one_while_it_is_open()
    {
        using var scope = NewDisposeScope();
        using TemporaryFolder folder = new();
        SafetensorsWriter.Write(folder.File("a.safetensors"), new Dictionary<string, Tensor> { ["x"] = full(3, 1f) });
        using SafetensorsFile old = SafetensorsFile.Open(folder.File("a.safetensors"));

        SafetensorsWriter.Write(folder.File("a.safetensors"), new Dictionary<string, Tensor> { ["x"] = full(3, 2f) });

        using SafetensorsFile fresh = SafetensorsFile.Open(folder.File("a.safetensors"));
        Assert.Equal([1f, 1f, 1f], old.Read("x").data<float>().ToArray());
        Assert.Equal([2f, 2f, 2f], fresh.Read("x").data<float>().ToArray());
    }

    private static void AssertSame(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.dtype, actual.dtype);
        Assert.Equal(expected.shape, actual.shape);
        Assert.Equal(expected.contiguous().bytes.ToArray(), actual.bytes.ToArray());
    }
}
