using System.Text;
using FlatPO.Recipes.Checkpoints;

namespace FlatPO.Recipes.Tests.Checkpoints;

public sealed class MalformedSafetensors
{
    private const string Whole = """{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""";

    [Theory]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}""", 8, "not valid JSON")]
    [InlineData("""[1]""", 0, "expected an object")]
    [InlineData("""{"x":{"shape":[2],"data_offsets":[0,8]}}""", 8, "tensor 'x' has no dtype")]
    [InlineData("""{"x":{"dtype":"F32","data_offsets":[0,8]}}""", 8, "tensor 'x' has no shape")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2]}}""", 8, "tensor 'x' has no data_offsets")]
    [InlineData("""{"x":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "shape [-2]; expected whole numbers")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", 8, "shape [2.5]")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "data_offsets [8, 0]")]
    [InlineData("""{"x":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "tensor 'x' F32[3] has 8 bytes; expected 12")]
    [InlineData("""{"x":{"dtype":"F32","shape":[9223372036854775807,9223372036854775807,4],"data_offsets":[0,8]}}""", 8, "tensor 'x'")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "begin at 4; expected 0")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"y":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "tensor 'y' begin at 4; expected 8")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"x":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}""", 16, "'x' is listed twice")]
    [InlineData(Whole, 7, "truncated")]
    [InlineData(Whole, 9, "1 bytes after the last tensor")]
    public void A_header_that_lies_is_refused(string header, int dataBytes, string words) =>
        AssertRefused([.. BitConverter.GetBytes((long)Encoding.UTF8.GetByteCount(header)), .. Encoding.UTF8.GetBytes(header), .. new byte[dataBytes]], words);

    [Fact]
    public void A_file_too_short_for_its_length_is_refused() => AssertRefused([1, 2, 3], "3 bytes; expected at least 8");

    [Fact]
    public void An_empty_file_is_refused() => AssertRefused([], "0 bytes");

    [Fact]
    public void Garbage_is_refused() => AssertRefused([.. Enumerable.Repeat((byte)0xAB, 200)], "not a safetensors file");

    [Fact]
    public void A_header_longer_than_the_file_is_refused() => AssertRefused([.. BitConverter.GetBytes(4000L), .. new byte[100]], "truncated: the header needs 4008 bytes, the file has 108");

    [Fact]
    public void A_format_nobody_knows_is_an_error_of_reading_not_of_opening()
    {
        using TemporaryFolder folder = new();
        const string Header = """{"x":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}}""";
        File.WriteAllBytes(folder.File("a.safetensors"), [.. BitConverter.GetBytes((long)Header.Length), .. Encoding.UTF8.GetBytes(Header), .. new byte[8]]);
        using SafetensorsFile file = SafetensorsFile.Open(folder.File("a.safetensors"));

        var error = Assert.Throws<RecipeException>(() => file.Read("x"));

        Assert.Equal("FPO4002", error.Id);
        Assert.Contains("'x' has number format F8_E4M3; allowed are F64, F32", error.Message);
    }

    private static void AssertRefused(byte[] bytes, string words)
    {
        using TemporaryFolder folder = new();
        string path = folder.File("bad.safetensors");
        File.WriteAllBytes(path, bytes);

        var error = Assert.Throws<RecipeException>(() => SafetensorsFile.Open(path));

        Assert.Equal("FPO4002", error.Id);
        Assert.Contains(path, error.Message);
        Assert.Contains(words, error.Message);
    }
}
