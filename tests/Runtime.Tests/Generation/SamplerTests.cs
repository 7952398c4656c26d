using FlatPO.Recipes.Generation;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Generation;

public sealed class SamplerTests
{
    private const int Steps = 4000;

    // Token 3 is the likeliest, then 0, 2, 1.
    private static readonly double[] Probabilities = [0.3, 0.05, 0.15, 0.5];

    [Theory]
    [InlineData(1, 1.0, 0, "3:0.5 0:0.3 2:0.15 1:0.05")]
    [InlineData(1, 1.0, 2, "3:0.625 0:0.375")]
    [InlineData(1, 0.5, 0, "3:1")]
    [InlineData(1, 0.51, 0, "3:0.625 0:0.375")]
    [InlineData(1, 0.9, 3, "3:0.5263 0:0.3158 2:0.1579")]
    [InlineData(0.5, 1.0, 0, "3:0.6849 0:0.2466 2:0.0616 1:0.0068")] // temperature 1/2 squares the probabilities
    public void Tokens_come_as_often_as_they_should(double temperature, double topP, int topK, string expected)
    {
        using var scope = NewDisposeScope();
        Sampler sampler = new(new GenerationSettings { Temperature = temperature, TopP = topP, TopK = topK });
        Tensor logits = tensor(Probabilities).log().unsqueeze(0).to_type(ScalarType.Float32);
        int[] counts = new int[Probabilities.Length];
        for (int step = 0; step < Steps; step++)
            using (NewDisposeScope())
                counts[sampler.Choose(logits, 0, step).item<long>()]++;

        Dictionary<int, double> wanted = expected.Split(' ').Select(part => part.Split(':')).ToDictionary(part => int.Parse(part[0]), part => double.Parse(part[1], System.Globalization.CultureInfo.InvariantCulture));
        for (int token = 0; token < counts.Length; token++)
        {
            double probability = wanted.GetValueOrDefault(token), spread = Math.Sqrt(probability * (1 - probability) / Steps);
            Assert.InRange((double)counts[token] / Steps, probability - 5 * spread, probability + 5 * spread); // exactly 0 for what is cut off
        }
    }

    [Fact]
    public void Greedy_takes_the_likeliest_of_every_row()
    {
        using var scope = NewDisposeScope();
        Tensor logits = tensor(new float[] { 1, 5, 2, 7, 0, 3 }, [2, 3]);
        Assert.Equal([1L, 0L], new Sampler(new GenerationSettings()).Choose(logits, 0, 0).data<long>().ToArray());
    }
}
