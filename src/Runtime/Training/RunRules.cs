namespace FlatPO.Recipes.Training;

/// <summary>The compiler's rules on how long and how many rows are, for settings that one run changes.</summary>
public static class RunRules
{
    /// <summary>The tokens before and after an image's own.</summary>
    private const int MarksOfAnImage = 2;

    /// <summary>Throws FPO3006 where rows may be longer (in tokens) than the backbone has positions for.</summary>
    public static void CheckLength(int maxLength, long positions)
    {
        if (maxLength > positions)
            throw new RecipeException("FPO3006", $"MaxLength = {maxLength} is more than the backbone has positions for; allowed is at most {positions}");
    }

    /// <summary>Throws FPO3016 where the largest image allowed does not fit a row, an image token standing for <paramref name="pixelsPerToken"/> pixels.</summary>
    public static void CheckImageFits(int maxLength, int maxPixels, long pixelsPerToken)
    {
        long tokens = maxPixels / pixelsPerToken + MarksOfAnImage;
        if (maxLength > 0 && maxPixels > 0 && tokens > maxLength)
            throw new RecipeException("FPO3016", $"an image of MaxPixels = {maxPixels} is {tokens} tokens with its two marks, more than MaxLength = {maxLength}; allowed is MaxLength of at least {tokens}");
    }

    /// <summary>Throws FPO3040 where a micro-batch holds one example, which a contrastive loss has nothing to tell from.</summary>
    public static void CheckContrast(int batchSize)
    {
        if (batchSize == 1)
            throw new RecipeException("FPO3040", "BatchSize = 1 leaves each image with its own text alone, and the loss is 0 whatever the adapters do; allowed is at least 2");
    }
}
