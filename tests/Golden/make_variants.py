"""Writes the variants: what transformers computes under the less usual settings of each family (see README.md).

usage: make_variants.py OUT
transformers 5.17.0, torch 2.11.0; float32 on the CPU. Every causal case has one row without padding, one with padding on the left and one with padding
on the right; logits are compared where the mask is 1. What it generates goes on behind prompts that are padded on the left.
"""
import sys
import torch
from safetensors.torch import save_file
from transformers import (
    BertConfig, BertForSequenceClassification, LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM, OPTConfig, OPTForCausalLM,
    Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM, RobertaConfig, RobertaForSequenceClassification, ViTConfig, ViTForImageClassification)

OUT = sys.argv[1]
VOCABULARY = 200


def randomise(model):
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" in name.lower() and name.endswith("weight"):
                parameter.copy_(1 + 0.2 * torch.randn_like(parameter))
            else:
                parameter.normal_(0, 0.08)
    model.tie_weights()
    return model.eval()


NEW_TOKENS = 14


def generate(model, prompts, **inputs):
    """Greedily, behind prompts of unlike length: the prompts, their mask and what follows them."""
    longest = max(map(len, prompts))
    ids = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    if "pixel_values" in inputs:
        inputs["mm_token_type_ids"] = (ids == model.config.image_token_id).long()
    whole = model.generate(input_ids=ids, attention_mask=mask, max_new_tokens=NEW_TOKENS, do_sample=False, pad_token_id=0, eos_token_id=None, **inputs)
    return dict(prompt_ids=ids, prompt_mask=mask, generated=whole[:, longest:].contiguous())


def write(name, result, **inputs):
    save_file(dict(**inputs, logits=result.logits.detach().contiguous(), loss=result.loss.detach().reshape(1)), f"{OUT}/{name}/case.safetensors")


def causal(name, model):
    torch.manual_seed(len(name) * 7)
    randomise(model).save_pretrained(f"{OUT}/{name}")
    ids = torch.randint(5, VOCABULARY, (3, 17))
    mask = torch.ones_like(ids)
    mask[1, :4] = 0
    mask[2, 11:] = 0
    labels = ids.clone()
    labels[mask == 0] = -100
    labels[1, 4] = -100  # what is predicted from padding means nothing
    result = model(input_ids=ids, attention_mask=mask, labels=labels)
    write(name, result, input_ids=ids, attention_mask=mask, labels=labels, **generate(model, [ids[0, :9].tolist(), ids[1, 5:9].tolist(), ids[2, :7].tolist()]))


def classify(name, model):
    torch.manual_seed(len(name) * 7)
    randomise(model).save_pretrained(f"{OUT}/{name}")
    padding = model.config.pad_token_id
    ids = torch.randint(5, VOCABULARY, (3, 13))
    ids[0, 4] = padding  # an id like any other, where the mask says so
    mask = torch.ones_like(ids)
    mask[1, :3] = 0
    mask[2, 9:] = 0
    ids[mask == 0] = padding
    types = torch.randint(0, model.config.type_vocab_size, ids.shape)
    labels = torch.tensor([3, 0, 2])
    result = model(input_ids=ids, attention_mask=mask, token_type_ids=types, labels=labels)
    states = model.base_model(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state.detach()
    write(name, result, input_ids=ids, attention_mask=mask, token_type_ids=types, labels=labels, last_hidden_state=states)


opt = dict(vocab_size=VOCABULARY, hidden_size=40, num_hidden_layers=3, ffn_dim=72, num_attention_heads=5, max_position_embeddings=40)
causal("opt_post", OPTForCausalLM(OPTConfig(**opt, do_layer_norm_before=False, word_embed_proj_dim=24, activation_function="gelu")))
causal("opt_bare", OPTForCausalLM(OPTConfig(
    **opt, enable_bias=False, layer_norm_elementwise_affine=False, _remove_final_layer_norm=True, tie_word_embeddings=False, word_embed_proj_dim=40)))

grouped = dict(vocab_size=VOCABULARY, hidden_size=48, num_hidden_layers=3, intermediate_size=56, num_attention_heads=6, num_key_value_heads=3)
causal("llama_bias", LlamaForCausalLM(LlamaConfig(
    **grouped, head_dim=12, attention_bias=True, mlp_bias=True, rope_parameters=dict(rope_type="linear", rope_theta=5000.0, factor=2.0))))
causal("llama_dynamic", LlamaForCausalLM(LlamaConfig(
    **grouped, max_position_embeddings=12, rope_parameters=dict(rope_type="dynamic", rope_theta=500.0, factor=3.0))))
causal("llama_yarn", LlamaForCausalLM(LlamaConfig(**grouped, max_position_embeddings=48, rope_parameters=dict(
    rope_type="yarn", rope_theta=500.0, factor=4.0, original_max_position_embeddings=12))))
causal("qwen2_yarn", Qwen2ForCausalLM(Qwen2Config(**grouped, max_position_embeddings=64, rope_parameters=dict(
    rope_type="yarn", rope_theta=5000.0, factor=2.0, original_max_position_embeddings=32, attention_factor=1.25, beta_fast=8.0, beta_slow=2.0))))
causal("mistral_full", MistralForCausalLM(MistralConfig(**grouped, head_dim=10, sliding_window=None, tie_word_embeddings=True)))
causal("qwen3_window", Qwen3ForCausalLM(Qwen3Config(
    **grouped, head_dim=12, attention_bias=True, use_sliding_window=True, sliding_window=5, max_window_layers=1, tie_word_embeddings=True)))
causal("qwen2_window", Qwen2ForCausalLM(Qwen2Config(**grouped, use_sliding_window=True, sliding_window=5, max_window_layers=1)))

vit = randomise(ViTForImageClassification(ViTConfig(
    hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96, image_size=[32, 24], patch_size=8, num_labels=3, qkv_bias=False, hidden_act="gelu_new")))
vit.save_pretrained(f"{OUT}/vit")
pixels, labels = torch.randn(2, 3, 32, 24), torch.tensor([2, 1])
write("vit", vit(pixel_values=pixels, labels=labels), pixel_values=pixels, labels=labels)

encoder = dict(vocab_size=VOCABULARY, hidden_size=40, num_hidden_layers=2, intermediate_size=56, num_attention_heads=5, max_position_embeddings=20, num_labels=4)
classify("bert", BertForSequenceClassification(BertConfig(**encoder, type_vocab_size=3, hidden_act="gelu_new", layer_norm_eps=1e-5)))
classify("roberta", RobertaForSequenceClassification(RobertaConfig(**encoder, type_vocab_size=2, hidden_act="relu", pad_token_id=3)))

torch.manual_seed(11)
IMAGE, START, END = VOCABULARY - 3, VOCABULARY - 2, VOCABULARY - 1
vl = randomise(Qwen2_5_VLForConditionalGeneration(Qwen2_5_VLConfig(
    text_config=dict(**grouped, max_position_embeddings=90, use_sliding_window=True, sliding_window=9, max_window_layers=1, tie_word_embeddings=False,
                     rope_parameters=dict(rope_type="default", rope_theta=70000.0, mrope_section=[2, 1, 1])),
    vision_config=dict(depth=5, hidden_size=24, intermediate_size=28, num_heads=3, in_channels=1, out_hidden_size=48, patch_size=4, spatial_merge_size=2, temporal_patch_size=1, window_size=24,
                       fullatt_block_indexes=[0, 2]),
    image_token_id=IMAGE, video_token_id=VOCABULARY - 4, vision_start_token_id=START, vision_end_token_id=END, tie_word_embeddings=False)))
vl.save_pretrained(f"{OUT}/qwen2_5_vl")
grids = torch.tensor([[1, 14, 8], [1, 2, 4], [1, 8, 6]])
pixels = torch.randn(int(grids.prod(-1).sum()), 4 * 4)


def image(i):
    return [START] + [IMAGE] * int(grids[i].prod() // 4) + [END]


# two images; text alone, padded on the right; one image, padded on the left
rows = [[7, 8] + image(0) + [9] + image(1) + [10, 11, 12], list(range(20, 31)), [13] + image(2) + [14, 15]]
longest = max(map(len, rows))
ids = torch.tensor([rows[0], rows[1] + [0] * (longest - len(rows[1])), [0] * (longest - len(rows[2])) + rows[2]])
mask = torch.tensor([[1] * len(rows[0]), [1] * len(rows[1]) + [0] * (longest - len(rows[1])), [0] * (longest - len(rows[2])) + [1] * len(rows[2])])
labels = ids.masked_fill((mask == 0) | (ids == IMAGE), -100)
labels[2, longest - len(rows[2])] = -100
types = (ids == IMAGE).long()
write("qwen2_5_vl", vl(input_ids=ids, attention_mask=mask, mm_token_type_ids=types, pixel_values=pixels, image_grid_thw=grids, labels=labels),
      input_ids=ids, attention_mask=mask, labels=labels, pixel_values=pixels, image_grid_thw=grids, vision_embeds=vl.model.visual(pixels, grid_thw=grids).pooler_output.detach(),
      position_ids=vl.model.get_rope_index(ids, image_grid_thw=grids, attention_mask=mask, mm_token_type_ids=types)[0],
      **generate(vl, rows, pixel_values=pixels, image_grid_thw=grids))
