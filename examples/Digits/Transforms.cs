namespace FlatPO.Recipes.Examples.Digits;

/// <summary>What can happen to an image. Whatever is random comes from the generator passed in, so a seed decides it.</summary>
public static class Transforms
{
    /// <summary>Turns the image counter-clockwise about its centre; levels between pixels are interpolated bilinearly.</summary>
    public static GreyImage Rotate(this GreyImage image, double degrees)
    {
        (double sin, double cos) = Math.SinCos(double.DegreesToRadians(degrees));
        double middleY = (image.Height - 1) / 2.0, middleX = (image.Width - 1) / 2.0;
        return image.Paint((y, x) =>
        {
            // y points down, so the pixel that lands here lies clockwise of it
            double down = y - middleY, right = x - middleX;
            return Bilinear(image, middleY + cos * down + sin * right, middleX - sin * down + cos * right);
        });
    }

    /// <summary>Moves the image by whole pixels; what leaves is lost, what enters is black.</summary>
    public static GreyImage Shift(this GreyImage image, int down, int right) => image.Paint((y, x) => image[y - down, x - right]);

    /// <summary>Swaps black and white.</summary>
    public static GreyImage Invert(this GreyImage image) => image.Paint((y, x) => 1 - image[y, x]);

    /// <summary>Adds Gaussian noise of the given standard deviation; levels stay within 0 and 1.</summary>
    public static GreyImage AddNoise(this GreyImage image, double deviation, Random random) =>
        image.Paint((y, x) => Math.Clamp(image[y, x] + (float)(deviation * Gaussian(random)), 0, 1));

    /// <summary>Replaces each level by the mean of the (2 · radius + 1)² levels around it; at the border, of those inside the image.</summary>
    public static GreyImage Blur(this GreyImage image, int radius) =>
        image.Paint((y, x) =>
        {
            (int top, int bottom) = (Math.Max(0, y - radius), Math.Min(image.Height - 1, y + radius));
            (int left, int right) = (Math.Max(0, x - radius), Math.Min(image.Width - 1, x + radius));
            float sum = 0;
            for (int row = top; row <= bottom; row++)
                for (int column = left; column <= right; column++)
                    sum += image[row, column];
            return sum / ((bottom - top + 1) * (right - left + 1));
        });

    /// <summary>Covers a square of the given size, wholly inside the image, with grey (0.5).</summary>
    public static GreyImage Occlude(this GreyImage image, int size, Random random)
    {
        int top = random.Next(image.Height - size + 1), left = random.Next(image.Width - size + 1);
        return image.Paint((y, x) => y >= top && y < top + size && x >= left && x < left + size ? 0.5f : image[y, x]);
    }

    private static float Bilinear(GreyImage image, double y, double x)
    {
        int top = (int)Math.Floor(y), left = (int)Math.Floor(x);
        float down = (float)(y - top), right = (float)(x - left);
        return (1 - down) * ((1 - right) * image[top, left] + right * image[top, left + 1])
            + down * ((1 - right) * image[top + 1, left] + right * image[top + 1, left + 1]);
    }

    /// <summary>Standard normal, by Box and Muller.</summary>
    private static double Gaussian(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
