"""What kernels are held against on this GPU: a copy of memory, and libtorch's three attentions at the shapes of benchmarks/Step, in bfloat16.

usage: libtorch.py

Prints bytes a second of a copy of 147 MB, and microseconds of each attention forward and both ways, as graphs of twenty. Needs PyTorch with CUDA.
"""
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

RUNS = 20
SHAPES = {  # rows, heads, key-value heads, tokens, width of a head
    "opt-1.3b 16x256": (16, 32, 32, 256, 64),
    "opt-1.3b 16x64": (16, 32, 32, 64, 64),
    "qwen2.5-1.5b 8x512": (8, 12, 2, 512, 128),
    "qwen2.5-vl-3b 4x512": (4, 16, 2, 512, 128),
}


def microseconds(run):
    """Of one run among those of a graph."""
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        for _ in range(3):
            run()
    side.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(RUNS):
            run()
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    graph.replay()
    begin.record()
    graph.replay()
    end.record()
    torch.cuda.synchronize()
    return begin.elapsed_time(end) / RUNS * 1e3


def numbers(*shape):
    return torch.randn(*shape, dtype=torch.bfloat16, device="cuda") / 2


def main():
    source = numbers(4096 * 8960 * 2)
    target = torch.empty_like(source)
    print(f"{torch.cuda.get_device_name()}: a copy reads and writes {2 * 2 * source.numel() / microseconds(lambda: target.copy_(source)) / 1e6:.2f} TB/s")
    for name, (rows, heads, shared, tokens, width) in SHAPES.items():
        fused = numbers(rows, tokens, (heads + 2 * shared) * width)
        q, k, v = (part.view(rows, tokens, -1, width).transpose(1, 2).detach().requires_grad_() for part in fused.split([heads * width, shared * width, shared * width], 2))
        gradient = numbers(rows, tokens, heads, width).transpose(1, 2)
        for backend in (SDPBackend.CUDNN_ATTENTION, SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION):
            with sdpa_kernel(backend):
                attend = lambda: scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=heads != shared)
                try:
                    with torch.no_grad():
                        forward = microseconds(attend)
                    both = microseconds(lambda: torch.autograd.grad(attend(), (q, k, v), gradient))
                except RuntimeError as error:
                    print(f"{name} {backend.name}: {str(error).splitlines()[0]}")
                    continue
            print(f"{name} {backend.name}: forward {forward:.1f} us, both ways {both:.1f} us")


if __name__ == "__main__":
    main()
