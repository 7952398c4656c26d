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
            return TorchLibraries.TryUseCuda(out _) ? Cuda() : torch.CPU;
        return device.type == DeviceType.CUDA ? Cuda(Math.Max(0, device.index)) : device;
    }

    /// <summary>The CPU.</summary>
    public static torch.Device Cpu
    {
        get
        {
            TorchLibraries.Require();
            return torch.CPU;
        }
    }

    /// <summary>The CUDA device with this number. Throws FPO4904, saying what is missing, where it cannot be used (TorchSharp's own <c>torch.CUDA</c> only says that it failed).</summary>
    public static torch.Device Cuda(int index = 0)
    {
        if (!TorchLibraries.TryUseCuda(out string? reason))
            throw new RecipeException("FPO4904", $"device cuda:{index} cannot be used: {reason}");
        int count = torch.cuda.device_count();
        return index >= 0 && index < count
            ? torch.device(DeviceType.CUDA, index)
            : throw new RecipeException("FPO4904", $"device cuda:{index} does not exist; this machine has cuda:0 to cuda:{count - 1}");
    }
}
