#!/usr/bin/env python3
"""Loads random checkpoints of published sizes here and there, and compares logits and the time to load.

    python3 tests/Counterpart/check_published.py [--program COMMAND] [--work FOLDER] [NAME ...]

For each model: a random checkpoint in bfloat16 by transformers, in several files, loaded by transformers with both of its attention implementations and by the
program (by default this folder's, through dotnet). Ours may be at most twice as far from transformers as its two implementations are from each other, and not
slower to load. Beside it stand the distances from the same weights in float32, which say who is nearer to the truth.
Needs torch, transformers and safetensors, and a GPU.
"""
import argparse
import gc
import json
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file

DEVICE = "cuda"
LOADS = 3
ROWS, LENGTH = 2, 256
SHORT = 32  # rows where a row has few logits: the largest of few differences is chance
FILES = 3


def texts(vocabulary, rows=ROWS):
    """Rows of random ids, every other padded on the right."""
    ids = torch.randint(5, vocabulary, (rows, LENGTH))
    mask = torch.ones_like(ids)
    mask[1::2, LENGTH // 2:] = 0
    return dict(input_ids=ids, attention_mask=mask)


def pairs():
    texts = torch.randint(5, 49000, (SHORT, 20))
    texts[:, -1] = 49407
    return dict(input_ids=texts, attention_mask=torch.ones_like(texts), pixel_values=torch.randn(SHORT, 3, 224, 224))


def sights():
    """A row of two images and one of text, the images of unlike size."""
    grids = torch.tensor([[1, 32, 32], [1, 16, 24]])
    tokens = [int(grid.prod()) // 4 for grid in grids]
    ids = torch.randint(5, 100000, (ROWS, 4 + sum(tokens) + 60))
    place = 2
    for count in tokens:
        ids[0, place:place + count] = 151655
        place += count + 2
    mask = torch.ones_like(ids)
    mask[1, ids.shape[1] // 2:] = 0
    return dict(input_ids=ids, attention_mask=mask, pixel_values=torch.randn(int(grids.prod(-1).sum()), 1176), image_grid_thw=grids)


def qwen_vl():
    return transformers.Qwen2_5_VLConfig(
        text_config=dict(vocab_size=151936, hidden_size=2048, intermediate_size=11008, num_hidden_layers=36, num_attention_heads=16, num_key_value_heads=2, max_position_embeddings=128000,
                         rope_parameters=dict(rope_type="default", rope_theta=1e6, mrope_section=[16, 24, 24]), tie_word_embeddings=True),
        vision_config=dict(depth=32, hidden_size=1280, intermediate_size=3420, num_heads=16, out_hidden_size=2048, patch_size=14, spatial_merge_size=2, temporal_patch_size=2, window_size=112,
                           fullatt_block_indexes=[7, 15, 23, 31]),
        tie_word_embeddings=True)


MODELS = {
    "Qwen2.5-1.5B": (transformers.Qwen2ForCausalLM, lambda: transformers.Qwen2Config(
        vocab_size=151936, hidden_size=1536, intermediate_size=8960, num_hidden_layers=28, num_attention_heads=12, num_key_value_heads=2, max_position_embeddings=131072,
        rope_parameters=dict(rope_type="default", rope_theta=1e6), tie_word_embeddings=True), lambda: texts(151643)),
    "Llama-3.2-1B": (transformers.LlamaForCausalLM, lambda: transformers.LlamaConfig(
        vocab_size=128256, hidden_size=2048, intermediate_size=8192, num_hidden_layers=16, num_attention_heads=32, num_key_value_heads=8, head_dim=64, max_position_embeddings=131072,
        rms_norm_eps=1e-5, tie_word_embeddings=True, rope_parameters=dict(
            rope_type="llama3", rope_theta=5e5, factor=32.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=8192)), lambda: texts(128000)),
    "OPT-1.3B": (transformers.OPTForCausalLM, lambda: transformers.OPTConfig(
        vocab_size=50272, hidden_size=2048, ffn_dim=8192, num_hidden_layers=24, num_attention_heads=32, max_position_embeddings=2048, word_embed_proj_dim=2048), lambda: texts(50265)),
    "CLIP ViT-B/16": (transformers.CLIPModel, lambda: transformers.CLIPConfig(
        text_config=dict(eos_token_id=49407), vision_config=dict(patch_size=16), projection_dim=512), pairs),
    "RoBERTa-base": (transformers.RobertaForSequenceClassification, lambda: transformers.RobertaConfig(
        vocab_size=50265, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5, num_labels=3), lambda: texts(50265, SHORT)),
    "Qwen2.5-VL-3B": (transformers.Qwen2_5_VLForConditionalGeneration, qwen_vl, sights),
}


def make(cls, config, folder):
    """A checkpoint in several files. Vectors (norms, biases) are random too: at their usual 1 and 0 a mix-up of them would not show."""
    torch.manual_seed(1)
    with torch.device(DEVICE):
        model = cls._from_config(config, dtype=torch.bfloat16)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter), alpha=0.1 if "norm" in name.lower() and name.endswith("weight") else 0.02)
    size = sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())
    model.save_pretrained(folder, max_shard_size=size // FILES)
    return size


def load(cls, folder, attention="sdpa", dtype=torch.bfloat16):
    torch.cuda.synchronize()
    began = time.perf_counter()
    model = cls.from_pretrained(folder, dtype=dtype, device_map=DEVICE, attn_implementation=attention).eval()
    torch.cuda.synchronize()
    return model, time.perf_counter() - began


def answer(model, inputs):
    given = {name: tensor.to(DEVICE) for name, tensor in inputs.items()}
    if "image_grid_thw" in given:
        given["mm_token_type_ids"] = (given["input_ids"] == model.config.image_token_id).long()
    if "pixel_values" in given:
        given["pixel_values"] = given["pixel_values"].to(model.dtype)
    with torch.no_grad():
        result = model(**given)
    logits = result.logits_per_image if hasattr(result, "logits_per_image") else result.logits
    return logits.float().cpu()


def free():
    gc.collect()
    torch.cuda.empty_cache()


def check(name, program, work):
    cls, config, make_inputs = MODELS[name]
    folder = work / name.replace(" ", "-").replace("/", "-")
    size = make(cls, config(), folder)
    free()
    inputs = make_inputs()
    save_file(inputs, folder / "inputs.safetensors")

    answers, seconds = {}, []
    for attention in ("sdpa", "eager"):
        for _ in range(LOADS if attention == "sdpa" else 1):
            model, took = load(cls, folder, attention)
            seconds += [took] if attention == "sdpa" else []
            answers[attention] = answer(model, inputs)
            del model
            free()
    model, _ = load(cls, folder, dtype=torch.float32)
    truth = answer(model, inputs)
    del model
    free()

    run = subprocess.run([*shlex.split(program), "logits", str(folder), str(folder / "inputs.safetensors"), str(folder / "ours.safetensors"), "BFloat16"], capture_output=True, text=True)
    if run.returncode != 0:
        print(run.stdout, run.stderr)
        return False
    told = json.loads(run.stdout.strip().splitlines()[-1])
    ours = load_file(folder / "ours.safetensors")["logits"].bfloat16().float()
    shutil.rmtree(folder)

    tokens = inputs["attention_mask"].bool() if truth.dim() == 3 else slice(None)

    def apart(one, other):
        return (one - other)[tokens].abs().max().item()

    own, far = apart(answers["sdpa"], answers["eager"]), apart(ours, answers["sdpa"])
    theirs_s, ours_s = statistics.median(seconds), statistics.median(told["seconds"])
    held = far <= 2 * own and ours_s <= theirs_s
    print(f"{name:14} {size / 2**30:5.2f} GiB  logits up to {truth[tokens].abs().max():6.2f}   apart: sdpa-eager {own:.4f}, ours-sdpa {far:.4f} ({far / own if own else float('inf'):.2f} x), "
          f"from float32: sdpa {apart(answers['sdpa'], truth):.4f}, eager {apart(answers['eager'], truth):.4f}, ours {apart(ours, truth):.4f}   "
          f"load: transformers {theirs_s:.2f} s, ours {ours_s:.2f} s ({', '.join(f'{each:.2f}' for each in told['seconds'])}), host memory +{told['grown'] / 2**20:.0f} MiB   {'ok' if held else 'NOT HELD'}")
    return held


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(MODELS)}; all if none is given")
    parser.add_argument("--program", default=f"dotnet run -c Release --project {Path(__file__).parent} --", help="what runs Counterpart")
    parser.add_argument("--work", help="a folder for the checkpoints, 8 GiB at a time; a temporary one if not given")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("there is no GPU here")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, transformers {transformers.__version__}")
    with tempfile.TemporaryDirectory(dir=options.work) as work:
        held = [check(name, options.program, Path(work)) for name in options.names or MODELS]
    print(f"{sum(held)} of {len(held)} held")
    sys.exit(not all(held))


if __name__ == "__main__":
    main()
