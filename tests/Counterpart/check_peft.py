#!/usr/bin/env python3
"""Trains adapters here and there, hands each to the other side, and compares the logits.

    python3 tests/Counterpart/check_peft.py [--program COMMAND] [--work FOLDER] [--device cpu|cuda] [WORD ...]

A row is a method of peft on a small random checkpoint that transformers writes. peft writes a fresh adapter; the program and peft train it, each by itself, the same
steps of AdamW. Then (A) peft loads what the program trained, with no key missing or unexpected, and gives the program's logits, and (B) the program loads what peft
trained and gives peft's. In float32 both may be 1e-4 apart, and both losses must have fallen.
WORDs choose the rows that have one of them in their name: check_peft.py PREFIX qwen3
Needs torch, transformers, peft and safetensors.
"""
import argparse
import collections
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import peft
import torch
import transformers
from safetensors.torch import load_file

import small_models

TOLERANCE = 1e-4
STEPS, RATE = 20, 5e-3


def lora(*targets, task="CAUSAL_LM", **settings):
    return lambda: peft.LoraConfig(**{**dict(r=4, lora_alpha=8, target_modules=list(targets), task_type=task), **settings})


def tuning(cls, **settings):
    return lambda: cls(**{**dict(task_type="CAUSAL_LM"), **settings})


# fresh: its folder holds no numbers to go on from, so that the program begins by itself.
# converted: peft saves it as plain LoRA beside what it began as (path_initial_model_for_weight_conversion).
Row = collections.namedtuple("Row", "method backbone config fresh converted", defaults=(False, False))
CHECKS = [
    Row("LORA", "opt", lora("q_proj", "v_proj", lora_dropout=0.05)),
    Row("LORA all-linear", "llama", lora(target_modules="all-linear")),
    Row("LORA pattern of modules", "mistral", lora(target_modules=r"model\.layers\.[02]\.(self_attn\.q_proj|mlp\.down_proj)")),
    Row("LORA rank, alpha, layers", "qwen3", lora("q_proj", "up_proj", layers_to_transform=[1, 2], rank_pattern={"up_proj": 2}, alpha_pattern={"up_proj": 6})),
    Row("LORA head whole", "llama", lora("q_proj", modules_to_save=["lm_head"])),
    Row("LORA classifier", "roberta", lora("query", "value", task="SEQ_CLS")),
    Row("LORA pooler, classifier", "bert", lora("query", "value", task="SEQ_CLS", modules_to_save=["pooler"])),
    Row("LORA classifier", "vit", lora("q_proj", "v_proj", task=None, modules_to_save=["classifier"])),
    Row("LORA", "clip", lora("q_proj", "v_proj", "fc2", task=None)),
    Row("LORA all-linear", "qwen2_5_vl", lora(target_modules="all-linear")),
    Row("LORA rsLoRA", "mistral", lora("q_proj", "k_proj", "o_proj", use_rslora=True)),
    Row("LORA DoRA", "llama", lora("q_proj", "v_proj", "down_proj", use_dora=True)),
    Row("LORA DoRA rsLoRA", "opt", lora("q_proj", "fc2", use_dora=True, use_rslora=True)),
    Row("LORA lora_bias", "opt", lora("q_proj", "fc2", lora_bias=True)),
    Row("LORA PiSSA", "qwen2", lora("q_proj", "v_proj", "down_proj", init_lora_weights="pissa"), fresh=True, converted=True),
    Row("LORA PiSSA rsLoRA", "opt", lora("q_proj", "fc1", init_lora_weights="pissa", use_rslora=True), fresh=True, converted=True),
    Row("LORA OLoRA", "mistral", lora("q_proj", "v_proj", init_lora_weights="olora"), fresh=True, converted=True),
    Row("LORA bias lora_only", "opt", lora("q_proj", "fc1", bias="lora_only")),
    Row("LORA embeddings", "llama", lora("embed_tokens", "q_proj")),
    Row("LORA tied embeddings", "qwen2", lora("embed_tokens", "v_proj")),
    Row("IA3", "llama", tuning(peft.IA3Config, target_modules=["k_proj", "v_proj", "down_proj"], feedforward_modules=["down_proj"])),
    Row("IA3", "opt", tuning(peft.IA3Config, target_modules=["k_proj", "v_proj", "fc2"], feedforward_modules=["fc2"])),
    Row("IA3 classifier", "roberta", tuning(peft.IA3Config, target_modules=["key", "value"], feedforward_modules=[], task_type="SEQ_CLS")),
    Row("VERA", "llama", tuning(peft.VeraConfig, r=8, target_modules=["q_proj", "v_proj", "down_proj"])),
    Row("VERA by its key", "opt", tuning(peft.VeraConfig, r=8, target_modules=["v_proj", "fc1"], save_projection=False, projection_prng_key=7)),
    Row("LN_TUNING", "opt", tuning(peft.LNTuningConfig, target_modules=["self_attn_layer_norm", "final_layer_norm"])),
    Row("LN_TUNING", "qwen3", tuning(peft.LNTuningConfig, target_modules=["input_layernorm", "q_norm", "norm"])),
    Row("LN_TUNING classifier", "bert", tuning(peft.LNTuningConfig, target_modules=["LayerNorm"], task_type="SEQ_CLS")),
    Row("LN_TUNING classifier", "vit", tuning(peft.LNTuningConfig, target_modules=["layernorm_before", "layernorm_after"], modules_to_save=["classifier"], task_type=None)),
    Row("PROMPT_TUNING", "opt", tuning(peft.PromptTuningConfig, num_virtual_tokens=6)),
    Row("PROMPT_TUNING", "mistral", tuning(peft.PromptTuningConfig, num_virtual_tokens=6)),
    Row("P_TUNING", "llama", tuning(peft.PromptEncoderConfig, num_virtual_tokens=6, encoder_hidden_size=32), fresh=True),
    Row("P_TUNING", "qwen2", tuning(peft.PromptEncoderConfig, num_virtual_tokens=6, encoder_hidden_size=32), fresh=True),
    Row("PREFIX_TUNING", "opt", tuning(peft.PrefixTuningConfig, num_virtual_tokens=5)),
    Row("PREFIX_TUNING", "qwen3", tuning(peft.PrefixTuningConfig, num_virtual_tokens=5)),
    Row("PREFIX_TUNING projection", "llama", tuning(peft.PrefixTuningConfig, num_virtual_tokens=5, prefix_projection=True, encoder_hidden_size=32), fresh=True),
    Row("PREFIX_TUNING projection", "opt", tuning(peft.PrefixTuningConfig, num_virtual_tokens=5, prefix_projection=True, encoder_hidden_size=32), fresh=True),
]


class Refused(Exception):
    """What the program says where it does not do what it is asked."""


class Side:
    """The Python half: checkpoints in a folder, on a device."""

    def __init__(self, work, device):
        self.work, self.device = work, device

    def checkpoint(self, name):
        """The checkpoint's folder, with the inputs in it."""
        folder = self.work / name
        if not (folder / "inputs.safetensors").exists():
            small_models.make(name, folder)
        return folder

    def load(self, name):
        return small_models.BACKBONES[name][0].from_pretrained(str(self.checkpoint(name)), dtype=torch.float32).to(self.device).eval()

    def ask(self, model, name):
        """transformers' answer to the checkpoint's inputs, with loss and logits."""
        given = {key: tensor.to(self.device) for key, tensor in load_file(self.checkpoint(name) / "inputs.safetensors").items()}
        if "image_grid_thw" in given:
            given["mm_token_type_ids"] = (given["input_ids"] == small_models.IMAGE).long()
        if name == "clip":
            given["return_loss"] = True
        return model(**given)

    def logits(self, model, name):
        with torch.no_grad():
            result = self.ask(model, name)
        return (result.logits_per_image if hasattr(result, "logits_per_image") else result.logits).float().cpu()

    def loss(self, model, name):
        with torch.no_grad():
            return self.ask(model, name).loss.item()

    def train(self, model, name):
        """The loss before and after."""
        before = self.loss(model, name)
        optimizer = torch.optim.AdamW([parameter for parameter in model.parameters() if parameter.requires_grad], lr=RATE)
        model.train()
        for _ in range(STEPS):
            optimizer.zero_grad()
            self.ask(model, name).loss.backward()
            optimizer.step()
        model.eval()
        return before, self.loss(model, name)

    def apart(self, one, other, name):
        """The largest difference of two answers, padding left out. Where a prompt stands before the texts, its places count too."""
        if one.shape != other.shape:
            raise ValueError(f"logits are {list(one.shape)} here and {list(other.shape)} there")
        tokens = slice(None)
        if one.dim() == 3:
            mask = load_file(self.checkpoint(name) / "inputs.safetensors")["attention_mask"]
            tokens = torch.cat([torch.ones(len(mask), one.shape[1] - mask.shape[1]), mask], 1).bool()
        return (one - other)[tokens].abs().max().item()


def run(program, *arguments):
    done = subprocess.run([*shlex.split(program), *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        said = (done.stderr + done.stdout).strip().splitlines() or [f"exit code {done.returncode}"]
        raise Refused(next((line for line in said if line.startswith("FPO")), said[0]))
    return done.stdout


def misfits(model, folder):
    """How many keys the file has, and those that are missing or unexpected. The table itself may stand beside an adapter of it, as peft writes it, or not."""
    found = set(load_file(folder / "adapter_model.safetensors"))
    needed = set(peft.get_peft_model_state_dict(model, save_embedding_layers=False))
    allowed = needed | set(peft.get_peft_model_state_dict(model))
    return len(found), [f"missing {key}" for key in sorted(needed - found)] + [f"unexpected {key}" for key in sorted(found - allowed)]


def check(row, side, program, room):
    name, checkpoint = row.backbone, side.checkpoint(row.backbone)
    start, here, there = room / "start", room / "here", room / "there"

    # B: peft trains, the program answers
    torch.manual_seed(2)
    trained = peft.get_peft_model(side.load(name), row.config()).to(side.device).eval()
    trained.save_pretrained(str(start))
    there_before, there_after = side.train(trained, name)
    theirs = side.logits(trained, name)
    conversion = {}
    if row.converted:
        shutil.copytree(start, room / "initial")  # peft rewrites the configuration there
        conversion = dict(path_initial_model_for_weight_conversion=str(room / "initial"))
    trained.save_pretrained(str(there), **conversion)
    run(program, "adapted", checkpoint, there, checkpoint / "inputs.safetensors", room / "answer.safetensors")
    b = side.apart(load_file(room / "answer.safetensors")["logits"], theirs, name)

    # A: the program trains, peft answers
    told = json.loads(run(program, "train", checkpoint, start, checkpoint / "inputs.safetensors", here, STEPS, RATE, *["--fresh"] * row.fresh).strip().splitlines()[-1])
    loaded = peft.PeftModel.from_pretrained(side.load(name), str(here)).to(side.device).eval()
    keys, faults = misfits(loaded, here)
    a = side.apart(load_file(here / "logits.safetensors")["logits"], side.logits(loaded, name), name)

    falls = told["after"] < told["before"] and there_after < there_before
    held = not faults and a <= TOLERANCE and b <= TOLERANCE and falls
    line = f"{keys:5} {a:9.1e} {b:9.1e}   {told['before']:.4f} → {told['after']:.4f}   {there_before:.4f} → {there_after:.4f}   {told['device']:7} {'ok' if held else 'NOT HELD'}"
    return held, "\n".join([line, *(f"    {fault}" for fault in faults)])


def first_line(error):
    return next(iter(str(error).strip().splitlines()), "")[:300]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="of the names of rows; all rows if none is given")
    parser.add_argument("--program", default=f"dotnet run -c Release --project {Path(__file__).resolve().parent} --", help="what runs Counterpart")
    parser.add_argument("--work", help="a folder for checkpoints and adapters, a few MiB each; a temporary one if not given")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda" if torch.cuda.is_available() else "cpu", help="for both sides; the GPU where there is one")
    options = parser.parse_args()
    if options.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # the program takes a GPU that it sees
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    on = torch.cuda.get_device_name() if options.device == "cuda" else "CPU"
    print(f"{on}, torch {torch.__version__}, transformers {transformers.__version__}, peft {peft.__version__}; {STEPS} steps of AdamW at {RATE}")
    print(f"{'method':26} {'backbone':11} {'keys':>5} {'A':>9} {'B':>9}   {'loss here':17}   {'loss there':17}   program")

    rows = [row for row in CHECKS if not options.words or any(word in f"{row.method} {row.backbone}" for word in options.words)]
    held = 0
    with tempfile.TemporaryDirectory(dir=options.work) as work:
        side = Side(Path(work).resolve(), options.device)
        for number, row in enumerate(rows):
            try:
                ok, line = check(row, side, options.program, side.work / f"row{number}")
                held += ok
            except Exception as error:
                line = f"FAILED: {type(error).__name__}: {first_line(error)}"
            print(f"{row.method:26} {row.backbone:11} {line}", flush=True)
    print(f"{held} of {len(rows)} held")
    sys.exit(held != len(rows) or held == 0)


if __name__ == "__main__":
    main()
