// Products of long rows with a few columns, what passes between the factors of low-rank updates: y = x w, folded at once as factors.cu's fold_halves does it. A block is 32 rows, whose numbers its warps
// share out among them by 32; the sums of the warps are added in a fixed order. Columns 32 apart of x and w may stand in any order, as long as it is the same: a thread reads eight neighbours.
#include "tensor.cuh"

constexpr int kRows = 32;
constexpr int kWarps = 8;
constexpr int kStep = 32;

// A run of x's columns, and what it is multiplied with: w [count, N], or its transpose, rows w_stride numbers apart.
struct Sweep {
    const bf16* w;
    long first, count, w_stride;
};

template <int N, bool Transposed> __device__ __forceinline__ void weights(unsigned (&b)[4], Sweep s, long k, int column) {
    if (Transposed) {
        const uint4 numbers = *reinterpret_cast<const uint4*>(s.w + column * s.w_stride + k);
        b[0] = numbers.x, b[1] = numbers.y, b[2] = numbers.z, b[3] = numbers.w;
    } else
#pragma unroll
        for (int i = 0; i < 4; i++)
            b[i] = (unsigned)s.w[(k + 2 * i) * s.w_stride + column].bits | (unsigned)s.w[(k + 2 * i + 1) * s.w_stride + column].bits << 16;
}

// The sums of all warps, in the first one.
template <int N> __device__ __forceinline__ void gathered(float (&c)[2][N / 8][4], float (*parts)[2 * N * 16], int warp, int lane) {
    for (int half = kWarps / 2; half > 0; half /= 2) {
        if (warp >= half && warp < 2 * half)
#pragma unroll
            for (int i = 0; i < N; i++)
                parts[warp - half][i * 32 + lane] = c[i / (N / 2)][i / 4 % (N / 8)][i % 4];
        __syncthreads();
        if (warp < half)
#pragma unroll
            for (int i = 0; i < N; i++)
                c[i / (N / 2)][i / 4 % (N / 8)][i % 4] += parts[warp][i * 32 + lane];
        __syncthreads();
    }
}

template <int N, bool Transposed>
__device__ __forceinline__ void narrow_product(const bf16* x, long x_stride, bf16* y, int T, const Sweep* sweeps, int count, int rank, const float* scales) {
    __shared__ float parts[kWarps / 2][2 * N * 16];
    __shared__ float all[kRows][N];
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, g = lane / 4, t = lane % 4;
    const long row = (long)blockIdx.x * kRows;
    for (int n = 0; n < count; n++) {
        const Sweep s = sweeps[n];
        float c[2][N / 8][4] = {};
#pragma unroll 4
        for (long k = (long)warp * kStep; k < s.count; k += kWarps * kStep) {
            uint4 left[4];
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const long token = row + g + i * 8;
                left[i] = {0, 0, 0, 0};
                if (token < T)
                    left[i] = *reinterpret_cast<const uint4*>(x + token * x_stride + s.first + k + t * 8);
            }
#pragma unroll
            for (int j = 0; j < N / 8; j++) {
                unsigned b[4];
                weights<N, Transposed>(b, s, k + t * 8, j * 8 + g);
#pragma unroll
                for (int half = 0; half < 2; half++) {
                    const uint4 &upper = left[2 * half], &lower = left[2 * half + 1];
                    const unsigned one[4] = {upper.x, lower.x, upper.y, lower.y}, other[4] = {upper.z, lower.z, upper.w, lower.w};
                    multiply(c[half][j], one, b[0], b[1]);
                    multiply(c[half][j], other, b[2], b[3]);
                }
            }
        }
        gathered<N>(c, parts, warp, lane);
        if (warp == 0)
#pragma unroll
            for (int i = 0; i < N; i++)
                all[i / (N / 2) * 16 + g + i / 2 % 2 * 8][i / 4 % (N / 8) * 8 + t * 2 + i % 2] = c[i / (N / 2)][i / 4 % (N / 8)][i % 4];
        __syncthreads();
        for (int i = threadIdx.x; i < kRows * N; i += kWarps * 32) {
            const int own = i / N, column = i % N, member = column / (2 * rank), start = member * 2 * rank + column % rank;
            if (row + own < T)
                y[(row + own) * N * count + n * N + column] = narrow<bf16>(scales[n * (N / (2 * rank)) + member] * (all[own][start] + all[own][start + rank]));
        }
        __syncthreads();
    }
}

#define NARROW(N) \
    extern "C" __global__ void __launch_bounds__(kWarps * 32) narrow_along_##N(const bf16* x, long x_stride, bf16* y, int T, int rank, const bf16* w, long w_stride, long count, float s0, float s1, float s2) { \
        const Sweep sweep = {w, 0, count, w_stride}; \
        const float scales[3] = {s0, s1, s2}; \
        narrow_product<N, true>(x, x_stride, y, T, &sweep, 1, rank, scales); \
    } \
    extern "C" __global__ void __launch_bounds__(kWarps * 32) narrow_across_##N(const bf16* x, long x_stride, bf16* y, int T, int rank, int members, const bf16* w0, long first0, long count0, const bf16* w1, long first1, \
                                                                                long count1, const bf16* w2, long first2, long count2, long w_stride, float s0, float s1, float s2) { \
        const Sweep sweeps[3] = {{w0, first0, count0, w_stride}, {w1, first1, count1, w_stride}, {w2, first2, count2, w_stride}}; \
        const float scales[3] = {s0, s1, s2}; \
        narrow_product<N, false>(x, x_stride, y, T, sweeps, members, rank, scales); \
    }

NARROW(16)
NARROW(32)
NARROW(48)
