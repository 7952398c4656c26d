// The factors of low-rank updates as half-width products take them.
#include "numbers.cuh"

// Each run of the arena that table names, as numbers and what their rounding lost: {first, count, width, stride, address}. Width 0: what was lost lies below; else beside its row, and rows are stride
// apart.
extern "C" __global__ void split_factors(const float* arena, const long* table) {
    const long* run = table + 5l * blockIdx.x;
    long first = run[0], count = run[1], width = run[2], stride = run[3];
    bf16* copy = reinterpret_cast<bf16*>(run[4]);
    for (long i = (long)blockIdx.y * blockDim.x + threadIdx.x; i < count; i += (long)gridDim.y * blockDim.x) {
        float x = arena[first + i];
        bf16 rounded = narrow<bf16>(x);
        long at = width == 0 ? i : i / width * stride + i % width;
        copy[at] = rounded;
        copy[at + (width == 0 ? count : width)] = narrow<bf16>(x - widen(rounded));
    }
}

// What passes between the factors of up to three members: their two halves summed, scaled, rounded, and written to both halves. wide is [T, 2 (r0 + r1 + r2)].
extern "C" __global__ void fold_halves(const float* wide, bf16* folded, long T, int r0, float s0, int r1, float s1, int r2, float s2) {
    int width = 2 * (r0 + r1 + r2);
    for (long i = (long)blockIdx.x * blockDim.x + threadIdx.x; i < T * width; i += (long)gridDim.x * blockDim.x) {
        int column = (int)(i % width), start = 0, rank = r0;
        float scale = s0;
        if (column >= 2 * r0) start = 2 * r0, rank = r1, scale = s1;
        if (column >= 2 * (r0 + r1)) start = 2 * (r0 + r1), rank = r2, scale = s2;
        const float* own = wide + i - column + start + (column - start) % rank;
        folded[i] = narrow<bf16>(scale * (own[0] + own[rank]));
    }
}
