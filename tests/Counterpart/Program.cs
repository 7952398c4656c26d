// Our half of the comparisons with Python: the scripts beside this file run it and compare.
//   logits MODEL INPUTS OUT FORMAT    loads a checkpoint in Float32 or BFloat16 (three times, for the time), answers the inputs, writes the logits
using System.Globalization;
using Counterpart;

switch (args)
{
    case ["logits", string model, string inputs, string output, string format]:
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        Answers.Write(model, inputs, output, Enum.Parse<FlatPO.Recipes.Precision>(format));
        return 0;
    default:
        Console.Error.WriteLine("usage: Counterpart logits MODEL INPUTS OUT Float32|BFloat16");
        return 2;
}
