#!/usr/bin/env python3
"""Loads what the QuickStart wrote with transformers and peft, and compares the logits.

    dotnet run -c Release --project examples/QuickStart -- --out artifacts/quickstart --dump-logits artifacts/quickstart/logits.safetensors
    python3 tests/Counterpart/check_quickstart.py examples/QuickStart/model artifacts/quickstart/adapter artifacts/quickstart/logits.safetensors

Needs torch, transformers, peft and safetensors.
"""
import argparse
import sys
from pathlib import Path

import peft
import safetensors.torch
import torch
import transformers

TOLERANCE = 1e-4


def load_backbone(folder):
    """The classifier, and a list of what in its checkpoint did not fit."""
    model, loading = transformers.ViTForImageClassification.from_pretrained(folder, output_loading_info=True)
    faults = [f"backbone: {kind} {sorted(map(str, found))}" for kind, found in loading.items() if found]
    return model.eval(), faults


def load_adapter(model, folder):
    """The adapted classifier, and a list of adapter tensors that did not fit."""
    adapted = peft.PeftModel.from_pretrained(model, folder).eval()
    expected = set(peft.get_peft_model_state_dict(adapted))
    found = set(safetensors.torch.load_file(Path(folder) / "adapter_model.safetensors"))
    faults = [f"adapter: missing {name}" for name in sorted(expected - found)]
    faults += [f"adapter: unexpected {name}" for name in sorted(found - expected)]
    return adapted, faults


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="the checkpoint's folder")
    parser.add_argument("adapter", help="the adapter's folder")
    parser.add_argument("logits", help="the file that --dump-logits wrote")
    arguments = parser.parse_args()
    print(f"torch {torch.__version__}, transformers {transformers.__version__}, peft {peft.__version__}")

    dumped = safetensors.torch.load_file(arguments.logits)
    model, faults = load_backbone(arguments.model)
    with torch.no_grad():
        plain = model(pixel_values=dumped["pixel_values"]).logits
        adapted, adapter_faults = load_adapter(model, arguments.adapter)
        logits = adapted(pixel_values=dumped["pixel_values"]).logits
    faults += adapter_faults

    difference = (logits - dumped["logits"]).abs().max().item()
    effect = (plain - dumped["logits"]).abs().max().item()
    print(f"largest difference of {logits.numel()} logits: {difference:.2e} (without the adapter: {effect:.2e})")
    if difference > TOLERANCE:
        faults.append(f"logits differ by {difference:.2e}; at most {TOLERANCE:.0e} is allowed")
    if effect <= TOLERANCE:
        faults.append("the adapter changes nothing")
    print("\n".join(faults) or "ok")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
