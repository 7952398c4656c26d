using TorchSharp;

namespace FlatPO.Recipes.Native;

/// <summary>Where a recipe runs when nobody says.</summary>
public static class Devices
{
    /// <summary><paramref name="device"/> itself, or the first CUDA device where one can be used, or the CPU. Throws FPO4904 for a CUDA device that cannot be used.</summary>
    public static torch.Device Or(torch.Device? device)
    {
        TorchLibraries.Require();
        if (device is null)
            return TorchLibraries.TryUseCuda(out _) ? torch.CUDA : torch.CPU;
        if (device.type == DeviceType.CUDA && !TorchLibraries.TryUseCuda(out string? reason))
            throw new RecipeException("FPO4904", $"device {device} cannot be used: {reason}");
        return device;
    }
}
