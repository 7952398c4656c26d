"""Small random checkpoints of the families, and inputs for them under transformers' names."""
import torch
import transformers
from safetensors.torch import save_file

VOCABULARY = 320
END, START, IMAGE = VOCABULARY - 1, VOCABULARY - 2, VOCABULARY - 3
ROWS, LENGTH = 4, 16
CUT = 5  # how much shorter every other row is


def texts(padding=0):
    """Rows of random ids, every other padded on the right."""
    ids = torch.randint(5, VOCABULARY - 8, (ROWS, LENGTH))
    mask = torch.ones_like(ids)
    mask[1::2, LENGTH - CUT:] = 0
    return dict(input_ids=ids.masked_fill(mask == 0, padding), attention_mask=mask)


def language():
    given = texts()
    return dict(given, labels=given["input_ids"].masked_fill(given["attention_mask"] == 0, -100))


def classes(padding):
    return dict(texts(padding), labels=torch.arange(ROWS) % 3)


def images():
    return dict(pixel_values=torch.randn(ROWS, 3, 32, 32), labels=torch.arange(ROWS) % 5)


def pairs():
    given = texts(padding=END)
    given["input_ids"][:, 0] = START
    given["input_ids"][::2, -1] = END
    given["input_ids"][1::2, LENGTH - CUT - 1] = END
    return dict(given, pixel_values=torch.randn(ROWS, 3, 32, 32))


def sights():
    """Two rows, an image in each, of unlike size."""
    grids = torch.tensor([[1, 6, 8], [1, 4, 4]])
    rows = []
    for grid, words in zip(grids, (9, 6)):
        rows.append([7, 8, 9, START] + [IMAGE] * (int(grid.prod()) // 4) + [END] + torch.randint(5, VOCABULARY - 8, (words,)).tolist())
    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    labels = ids.masked_fill((mask == 0) | (ids >= IMAGE), -100)
    return dict(input_ids=ids, attention_mask=mask, labels=labels, pixel_values=torch.randn(int(grids.prod(-1).sum()), 1176), image_grid_thw=grids)


def clip():
    tower = dict(hidden_size=48, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4, projection_dim=32)
    return transformers.CLIPConfig(
        text_config=dict(**tower, vocab_size=VOCABULARY, max_position_embeddings=20, eos_token_id=END, bos_token_id=START, pad_token_id=END),
        vision_config=dict(**tower, image_size=32, patch_size=8), projection_dim=32)


def qwen_vl():
    return transformers.Qwen2_5_VLConfig(
        text_config=dict(vocab_size=VOCABULARY, hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=256,
                         tie_word_embeddings=True, rope_parameters=dict(rope_type="default", rope_theta=1e6, mrope_section=[2, 3, 3])),
        vision_config=dict(depth=4, hidden_size=32, intermediate_size=64, num_heads=2, out_hidden_size=64, patch_size=14, spatial_merge_size=2, temporal_patch_size=2, window_size=56,
                           fullatt_block_indexes=[1, 3]),
        image_token_id=IMAGE, video_token_id=VOCABULARY - 4, vision_start_token_id=START, vision_end_token_id=END, tie_word_embeddings=True)


GROUPED = dict(vocab_size=VOCABULARY, hidden_size=48, intermediate_size=80, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=128)
ENCODER = dict(vocab_size=VOCABULARY, hidden_size=48, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4, max_position_embeddings=66, num_labels=3,
               hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)

BACKBONES = {
    "opt": (transformers.OPTForCausalLM, lambda: transformers.OPTConfig(
        vocab_size=VOCABULARY, hidden_size=48, word_embed_proj_dim=48, num_hidden_layers=3, ffn_dim=96, num_attention_heads=4, max_position_embeddings=64, dropout=0.0), language),
    "llama": (transformers.LlamaForCausalLM, lambda: transformers.LlamaConfig(**GROUPED, tie_word_embeddings=False), language),
    "mistral": (transformers.MistralForCausalLM, lambda: transformers.MistralConfig(**GROUPED, sliding_window=6), language),
    "qwen2": (transformers.Qwen2ForCausalLM, lambda: transformers.Qwen2Config(**GROUPED, tie_word_embeddings=True), language),
    "qwen3": (transformers.Qwen3ForCausalLM, lambda: transformers.Qwen3Config(**GROUPED, head_dim=16, tie_word_embeddings=False), language),
    "bert": (transformers.BertForSequenceClassification, lambda: transformers.BertConfig(**ENCODER), lambda: classes(0)),
    "roberta": (transformers.RobertaForSequenceClassification, lambda: transformers.RobertaConfig(**ENCODER, type_vocab_size=1, pad_token_id=1), lambda: classes(1)),
    "vit": (transformers.ViTForImageClassification, lambda: transformers.ViTConfig(
        hidden_size=48, num_hidden_layers=3, num_attention_heads=4, intermediate_size=96, image_size=32, patch_size=8, num_labels=5), images),
    "clip": (transformers.CLIPModel, clip, pairs),
    "qwen2_5_vl": (transformers.Qwen2_5_VLForConditionalGeneration, qwen_vl, sights),
}


def make(name, folder):
    """A checkpoint with inputs.safetensors beside it. Its numbers are so large that every part of the network shows in the logits."""
    cls, config, inputs = BACKBONES[name]
    torch.manual_seed(1)
    model = cls(config())
    with torch.no_grad():
        for path, parameter in model.named_parameters():
            if "norm" in path.lower() and path.endswith("weight"):
                parameter.copy_(1 + 0.2 * torch.randn_like(parameter))
            elif parameter.dim() > 0:
                parameter.normal_(0, 0.08)
    model.tie_weights()
    model.save_pretrained(folder)
    save_file(inputs(), folder / "inputs.safetensors")
