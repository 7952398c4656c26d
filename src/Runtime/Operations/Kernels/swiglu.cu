// silu(gate) * up with the low-rank branches of both, and its backward with the branch of the layer that reads the result. gate and up stand side by side: [T, 2 F].
// A thread has two neighbouring columns, whose factors it holds in registers, and goes down a run of rows; what passes between the factors is staged in shared memory.
#include "numbers.cuh"

constexpr int kThreads = 128;
constexpr int kColumns = 2;
constexpr int kStage = 32; // rows staged at once
constexpr int kAhead = 4;  // rows read before the first of them is worked on: their loads overlap

struct Hidden {
    const bf16* numbers; // [T, stride]; not read where rank is 0
    int stride, first, rank;
};

template <int R> __device__ __forceinline__ void stage(float (*rows)[R], Hidden h, long t0, int count) {
    for (int i = threadIdx.x; i < count * R; i += kThreads) {
        int row = i / R, k = i % R;
        rows[row][k] = k < h.rank ? widen(h.numbers[(t0 + row) * h.stride + h.first + k]) : 0.f;
    }
}

// factors[k * step + c * (next column)] of this thread's columns; 0 beyond the rank
template <int R> __device__ __forceinline__ void factors(float (&b)[kColumns][R], const float* numbers, int rank, long column, long next) {
#pragma unroll
    for (int k = 0; k < R; k++)
#pragma unroll
        for (int c = 0; c < kColumns; c++)
            b[c][k] = k < rank ? numbers[c * column + k * next] : 0.f;
}

template <int R> __device__ __forceinline__ float branched(float y, const float* h, const float (&b)[R]) {
#pragma unroll
    for (int k = 0; k < R; k++)
        y = fmaf(h[k], b[k], y);
    return y;
}

template <int R> __device__ __forceinline__ void gather(float (&sums)[R], float x, const float* h) {
#pragma unroll
    for (int k = 0; k < R; k++)
        sums[k] = fmaf(x, h[k], sums[k]);
}

__device__ __forceinline__ float sigmoid(float x) { return __fdividef(1.f, 1.f + __expf(-x)); }

template <int R>
__device__ __forceinline__ void forward(const bf16* products, Hidden gate, Hidden up, const float* gate_b, const float* up_b, bf16* result, long T, long F, int run) {
    __shared__ __align__(16) float hg[kStage][R], hu[kStage][R];
    long j = (long)kColumns * (blockIdx.x * kThreads + threadIdx.x);
    bool inside = j < F;
    float bg[kColumns][R] = {}, bu[kColumns][R] = {};
    if (inside) {
        factors(bg, gate_b + j * gate.rank, gate.rank, gate.rank, 1);
        factors(bu, up_b + j * up.rank, up.rank, up.rank, 1);
    }
    long end = min(T, (long)(blockIdx.y + 1) * run);
    for (long t0 = (long)blockIdx.y * run; t0 < end; t0 += kStage) {
        int count = (int)min((long)kStage, end - t0);
        __syncthreads();
        stage(hg, gate, t0, count);
        stage(hu, up, t0, count);
        __syncthreads();
        if (!inside) continue;
        for (int i = 0; i < count; i += kAhead) {
            Pack<bf16, kColumns> g[kAhead], u[kAhead];
#pragma unroll
            for (int r = 0; r < kAhead; r++) {
                const bf16* row = products + (t0 + min(i + r, count - 1)) * 2 * F + j;
                g[r] = load<bf16, kColumns>(row);
                u[r] = load<bf16, kColumns>(row + F);
            }
#pragma unroll
            for (int r = 0; r < kAhead; r++) {
                if (i + r >= count) break;
                Pack<bf16, kColumns> y;
#pragma unroll
                for (int c = 0; c < kColumns; c++) {
                    float x = branched(g[r][c], hg[i + r], bg[c]);
                    y.set(c, x * sigmoid(x) * branched(u[r][c], hu[i + r], bu[c]));
                }
                store(result + (t0 + i + r) * F + j, y);
            }
        }
    }
}

// The gradients of gate and up take the place of the products. Sums over this block's rows go to its part of [blocks, F * (gate rank + up rank + down rank)]: B of gate, B of up, A of down.
template <int R>
__device__ __forceinline__ void backward(bf16* products, Hidden gate, Hidden up, Hidden down, const float* gate_b, const float* up_b, const float* down_a, const bf16* gradient, float* partial,
                                         long T, long F, int run) {
    __shared__ __align__(16) float hg[kStage][R], hu[kStage][R], hd[kStage][R];
    long j = (long)kColumns * (blockIdx.x * kThreads + threadIdx.x);
    bool inside = j < F;
    float bg[kColumns][R] = {}, bu[kColumns][R] = {}, ad[kColumns][R] = {}, of_gate[kColumns][R] = {}, of_up[kColumns][R] = {}, of_down[kColumns][R] = {};
    if (inside) {
        factors(bg, gate_b + j * gate.rank, gate.rank, gate.rank, 1);
        factors(bu, up_b + j * up.rank, up.rank, up.rank, 1);
        factors(ad, down_a + j, down.rank, 1, F);
    }
    long end = min(T, (long)(blockIdx.y + 1) * run);
    for (long t0 = (long)blockIdx.y * run; t0 < end; t0 += kStage) {
        int count = (int)min((long)kStage, end - t0);
        __syncthreads();
        stage(hg, gate, t0, count);
        stage(hu, up, t0, count);
        stage(hd, down, t0, count);
        __syncthreads();
        if (!inside) continue;
        for (int i = 0; i < count; i += kAhead) {
            Pack<bf16, kColumns> g[kAhead], u[kAhead], d[kAhead];
#pragma unroll
            for (int r = 0; r < kAhead; r++) {
                long t = t0 + min(i + r, count - 1);
                g[r] = load<bf16, kColumns>(products + t * 2 * F + j);
                u[r] = load<bf16, kColumns>(products + t * 2 * F + F + j);
                d[r] = load<bf16, kColumns>(gradient + t * F + j);
            }
#pragma unroll
            for (int r = 0; r < kAhead; r++) {
                if (i + r >= count) break;
                Pack<bf16, kColumns> dg, du;
#pragma unroll
                for (int c = 0; c < kColumns; c++) {
                    float x = branched(g[r][c], hg[i + r], bg[c]), y = branched(u[r][c], hu[i + r], bu[c]), z = branched(d[r][c], hd[i + r], ad[c]);
                    float s = sigmoid(x), open = x * s;
                    float of_x = z * y * s * (1.f + x * (1.f - s)), of_y = z * open;
                    dg.set(c, of_x);
                    du.set(c, of_y);
                    gather(of_gate[c], of_x, hg[i + r]);
                    gather(of_up[c], of_y, hu[i + r]);
                    gather(of_down[c], open * y, hd[i + r]);
                }
                store(products + (t0 + i + r) * 2 * F + j, dg);
                store(products + (t0 + i + r) * 2 * F + F + j, du);
            }
        }
    }
    if (!inside) return;
    float* gate_sums = partial + blockIdx.y * F * (gate.rank + up.rank + down.rank);
    float* up_sums = gate_sums + F * gate.rank;
    float* down_sums = up_sums + F * up.rank;
#pragma unroll
    for (int k = 0; k < R; k++)
#pragma unroll
        for (int c = 0; c < kColumns; c++) {
            if (k < gate.rank) gate_sums[(j + c) * gate.rank + k] = of_gate[c][k];
            if (k < up.rank) up_sums[(j + c) * up.rank + k] = of_up[c][k];
            if (k < down.rank) down_sums[k * F + j + c] = of_down[c][k];
        }
}

#define SWIGLU(R) \
    extern "C" __global__ void __launch_bounds__(kThreads) swiglu_forward_##R(const bf16* products, const bf16* hidden, int stride, int gate_first, int gate_rank, int up_first, int up_rank, \
                                                                              const float* gate_b, const float* up_b, bf16* result, long T, long F, int run) { \
        forward<R>(products, {hidden, stride, gate_first, gate_rank}, {hidden, stride, up_first, up_rank}, gate_b, up_b, result, T, F, run); \
    } \
    extern "C" __global__ void __launch_bounds__(kThreads) swiglu_backward_##R(bf16* products, const bf16* hidden, int stride, int gate_first, int gate_rank, int up_first, int up_rank, \
                                                                               const float* gate_b, const float* up_b, const bf16* gradient, const bf16* down_hidden, int down_stride, \
                                                                               int down_rank, const float* down_a, float* partial, long T, long F, int run) { \
        backward<R>(products, {hidden, stride, gate_first, gate_rank}, {hidden, stride, up_first, up_rank}, {down_hidden, down_stride, 0, down_rank}, gate_b, up_b, down_a, gradient, partial, \
                    T, F, run); \
    }

SWIGLU(8)
SWIGLU(16)
