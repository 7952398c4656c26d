namespace FlatPO.Recipes;

/// <summary>The training run.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class TrainingAttribute : Attribute
{
    /// <summary>Passes over the examples.</summary>
    [Bounds("FPO3001", Minimum = 1), PerRun, Default(1)]
    public int Epochs { get; set; } = 1;

    /// <summary>Examples in one micro-batch.</summary>
    [Bounds("FPO3002", Minimum = 1), PerRun, Default(8)]
    public int BatchSize { get; set; } = 8;

    /// <summary>Micro-batches in one step: both passes run over all of them before the optimizer moves once.</summary>
    [Bounds("FPO3003", Minimum = 1), PerRun, Default(1)]
    public int GradientAccumulation { get; set; } = 1;

    /// <summary>Tokens after which a text is cut; 0 leaves the backbone's own limit.</summary>
    [Bounds("FPO3004", Minimum = 0), PerRun, Default(0)]
    public int MaxLength { get; set; }

    /// <summary>Pixels of the largest image a row may have, on a backbone that reads images as tokens; 0 sets no limit.</summary>
    [Bounds("FPO3018", Minimum = 0), PerRun, Default(0)]
    public int MaxPixels { get; set; }

    /// <summary>The gradient that is applied is scaled down to this norm; 0 never clips.</summary>
    [Bounds("FPO2008", Minimum = 0), PerRun, Default(0.0)]
    public double MaxGradientNorm { get; set; }

    /// <summary>
    /// Whether layers keep their inputs alone for backward, which then computes the rest anew, layer by layer: far less memory, a third more computing, the same numbers. Known as gradient
    /// checkpointing. A backbone of one's own keeps everything.
    /// </summary>
    [PerRun, Default(false)]
    public bool Checkpointing { get; set; }

    /// <summary>Decides adapter initialisation, data order and dropout; the same seed gives the same run.</summary>
    [Bounds("FPO3005", Minimum = 0), PerRun, Default(0)]
    public int Seed { get; set; }

    /// <summary>The number format of the frozen backbone; adapters are always float32.</summary>
    [Default(Precision.Float32)]
    public Precision Precision { get; set; }

    /// <summary>Memory of the device that will train, in GiB; the compiler then says whether the recipe fits. 0 does not ask.</summary>
    [Bounds("FPO3019", Minimum = 0), Default(0.0)]
    public double DeviceMemory { get; set; }
}

/// <summary>The number format of the frozen backbone.</summary>
public enum Precision
{
    /// <summary>32-bit floating point.</summary>
    Float32,

    /// <summary>16-bit brain floating point.</summary>
    BFloat16,

    /// <summary>16-bit floating point: for a backbone that is only evaluated. A recipe cannot train on it, for want of a loss scaler (FPO3015).</summary>
    Float16,

    /// <summary>
    /// 4 bits for the weights of linear layers (QLoRA, <see href="https://arxiv.org/abs/2305.14314"/>: NF4 in blocks of 64, with their scales quantised again), and bfloat16 for everything else
    /// and for what is computed: 0.52 bytes a number. The head, embeddings, norms and biases stay bfloat16. Numbers are those of bitsandbytes (<c>functional.py</c>,
    /// <c>quantize_4bit</c> with <c>compress_statistics</c>): any checkpoint is quantised while it is loaded, and one that transformers saved in NF4 is read as it is.
    /// </summary>
    NF4,
}
