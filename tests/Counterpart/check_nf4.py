#!/usr/bin/env python3
"""Holds Precision.NF4 to bitsandbytes, or where that cannot be imported to the definition written in torch below.

    dotnet build -c Release tests/Counterpart
    python3 tests/Counterpart/check_nf4.py tests/Golden/backbones/llama --counterpart "dotnet run -c Release --no-build --project tests/Counterpart --"

Needs torch and safetensors. Two questions: are the linear layers of a checkpoint rounded to the same numbers, and are the same numbers read from a checkpoint in bitsandbytes' layout.
"""
import argparse
import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import safetensors.torch
import torch

try:
    import bitsandbytes.functional as bnb
except ImportError:
    bnb = None

HEADS = ("lm_head", "classifier", "embed", "norm", "pooler")
BLOCK, SCALE_BLOCK = 64, 256
LEVELS = torch.tensor([
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0,
    0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0])


def steps():
    numbers = [0.0, 1.0]
    for i in range(7):
        edges = torch.linspace(0.1, 1, 2**i + 1)
        middles = ((edges[:-1] + edges[1:]) / 2 * 10.0 ** (i - 6)).tolist()
        numbers += middles + [-x for x in middles]
    return torch.tensor(sorted(numbers))


def nearest(rows, table):
    largest = rows.abs().amax(1)
    shares = rows / largest.clamp(min=1.2e-38).unsqueeze(1)
    return (shares.unsqueeze(-1) - table).abs().argmin(-1), largest


def padded(flat, size):
    return torch.nn.functional.pad(flat, (0, -len(flat) % size))


def rounded(weight):
    """The numbers, and the entries of a checkpoint behind the weight's name."""
    if bnb:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        codes, state = bnb.quantize_4bit(weight.float().to(device), blocksize=BLOCK, compress_statistics=True, quant_type="nf4")
        state.dtype = torch.float32
        numbers = bnb.dequantize_4bit(codes, state)
        return numbers.cpu(), {"": codes.cpu(), **{f".{key}": value.cpu() for key, value in state.as_dict(packed=True).items()}}
    count, table = weight.numel(), steps()
    codes, scales = nearest(padded(weight.float().flatten(), BLOCK).view(-1, BLOCK), LEVELS)
    offset = scales.mean()
    of_scales, nested = nearest(padded(scales - offset, SCALE_BLOCK).view(-1, SCALE_BLOCK), table)
    back = ((table[of_scales] * nested.unsqueeze(1)).flatten() + offset)[: len(scales)]
    numbers = (LEVELS[codes] * back.unsqueeze(1)).flatten()[:count].view(weight.shape)
    pairs = codes.flatten()[: count + count % 2].view(-1, 2)
    said = {"quant_type": "nf4", "blocksize": BLOCK, "dtype": "float32", "shape": list(weight.shape), "nested_blocksize": SCALE_BLOCK, "nested_dtype": "float32", "nested_offset": offset.item()}
    return numbers, {
        "": (pairs[:, 0] * 16 + pairs[:, 1]).to(torch.uint8).unsqueeze(1),
        ".absmax": of_scales.flatten()[: len(scales)].to(torch.uint8),
        ".quant_map": LEVELS,
        ".nested_absmax": nested,
        ".nested_quant_map": table,
        ".quant_state.bitsandbytes__nf4": torch.tensor(list(json.dumps(said).encode()), dtype=torch.uint8),
    }


def frozen(counterpart, folder, precision, out):
    subprocess.run([*shlex.split(counterpart), "frozen", str(folder), str(out), precision], check=True)
    return safetensors.torch.load_file(out)


def largest_share(found, expected, names):
    return max(((found[name].float() - expected[name].float()).abs().max() / expected[name].float().abs().max()).item() for name in names)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--counterpart", default="dotnet run -c Release --no-build --project tests/Counterpart --")
    options = parser.parse_args()
    tensors = safetensors.torch.load_file(options.model / "model.safetensors")
    linear = [name for name, tensor in tensors.items() if tensor.dim() == 2 and name.endswith(".weight") and not any(part in name for part in HEADS)]
    numbers, entries = {}, {name: tensor for name, tensor in tensors.items() if name not in linear}
    for name in linear:
        numbers[name], parts = rounded(tensors[name])
        entries |= {name + part: tensor.contiguous().clone() for part, tensor in parts.items()}
    with tempfile.TemporaryDirectory() as scratch:
        packed, out = Path(scratch) / "packed", Path(scratch) / "out.safetensors"
        shutil.copytree(options.model, packed)
        safetensors.torch.save_file(entries, packed / "model.safetensors", metadata={"format": "pt"})
        config = json.loads((packed / "config.json").read_text())
        config["quantization_config"] = {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True}
        (packed / "config.json").write_text(json.dumps(config))
        ours = largest_share(frozen(options.counterpart, options.model, "NF4", out), numbers, linear)
        read = largest_share(frozen(options.counterpart, packed, "Float32", out), numbers, linear)
    # ours in bfloat16: half its spacing; a mean summed in another order can put a scale on the next step
    print(f"{len(linear)} weights beside {'bitsandbytes' if bnb else 'the definition'}: rounded {ours:.2e} apart (allowed 1e-2), read {read:.2e} apart (allowed 1e-6)")
    return 0 if ours <= 1e-2 and read <= 1e-6 else 1


if __name__ == "__main__":
    sys.exit(main())
