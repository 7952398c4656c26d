"""Writes adapter_variants/: what peft computes, merges and differentiates on the OPT of backbones/ (see README.md).

usage: make_adapter_variants.py BACKBONES OUT
transformers 5.17.0, peft 0.21.0, torch 2.11.0; float32 on the CPU, without dropout.
"""
import copy
import sys

import peft
import torch
from safetensors.torch import save_file
from transformers import OPTForCausalLM

BACKBONES, OUT = sys.argv[1:]
LORA = dict(r=4, lora_alpha=6, target_modules=["q_proj", "v_proj", "fc2"], task_type="CAUSAL_LM")
CASES = {
    "lora_bias": peft.LoraConfig(**LORA, lora_bias=True),
    "dora_rslora": peft.LoraConfig(**LORA, use_dora=True, use_rslora=True),
    "ia3": peft.IA3Config(target_modules=["q_proj", "k_proj", "fc2"], feedforward_modules=["fc2"], task_type="CAUSAL_LM"),
}
for name, config in CASES.items():
    torch.manual_seed(len(name))
    model = peft.get_peft_model(OPTForCausalLM.from_pretrained(f"{BACKBONES}/opt"), config).eval()
    trained = {path: parameter for path, parameter in model.named_parameters() if parameter.requires_grad}
    with torch.no_grad():
        for parameter in trained.values():
            parameter.add_(torch.randn_like(parameter) * 0.06)
    model.save_pretrained(f"{OUT}/{name}")
    ids = torch.randint(5, 150, (2, 9))
    mask = torch.ones_like(ids)
    merged = copy.deepcopy(model).merge_and_unload()(ids).logits.detach()
    logits = model(ids).logits
    logits.square().mean().backward()
    gradients = {f"gradient.{path.replace('.default', '').replace('vector.weight', 'vector')}": parameter.grad for path, parameter in trained.items()}
    save_file(dict(input_ids=ids, attention_mask=mask, logits=logits.detach(), merged_logits=merged, **gradients), f"{OUT}/{name}/case.safetensors")
    open(f"{OUT}/{name}/base.txt", "w").write("opt\n")
