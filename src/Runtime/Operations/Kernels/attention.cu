// Attention of short rows over heads 64 wide, full or causal, with its backward: softmax(q kᵀ · scale) v. Queries, keys and values are [rows, T, heads, 64], tokens q_stride or kv_stride numbers apart;
// so many queries' heads share one of keys and values. A block is 64 tokens of a head, a warp 16 of them; the other side comes by 64 tokens through shared memory. Every sum has a fixed order.
#include "tensor.cuh"

constexpr int kWidth = 64;         // of a head
constexpr int kTile = 64;          // tokens of a block, and of what it is held against
constexpr int kRow = kWidth + 8;   // of shared memory: eight rows begin in eight different banks
constexpr int kThreads = 128;
constexpr int kSteps = kWidth / 16;
constexpr float kNever = -1e30f;

struct Tokens {
    const bf16* numbers; // of the first token of a row and head
    long stride;
    int count; // T
};

struct Side {
    int lane, warp, g, t;
    __device__ __forceinline__ Side() : lane(threadIdx.x % 32), warp(threadIdx.x / 32), g(lane / 4), t(lane % 4) {}
};

// Tokens from first on to shared memory, 0 beyond the last.
__device__ __forceinline__ void stage(bf16 (*tile)[kRow], Tokens from, int first) {
    for (int i = threadIdx.x; i < kTile * kWidth / 8; i += kThreads) {
        const int row = i / (kWidth / 8), column = i % (kWidth / 8) * 8;
        uint4 numbers = {0, 0, 0, 0};
        if (first + row < from.count)
            numbers = *reinterpret_cast<const uint4*>(from.numbers + (first + row) * from.stride + column);
        *reinterpret_cast<uint4*>(&tile[row][column]) = numbers;
    }
}

// This warp's 16 tokens from first on, as the left side of products.
__device__ __forceinline__ void hold(unsigned (&a)[kSteps][4], Tokens from, int first, const Side& me) {
#pragma unroll
    for (int s = 0; s < kSteps; s++)
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const int token = first + me.g + i % 2 * 8, column = s * 16 + i / 2 * 8 + me.t * 2;
            a[s][i] = token < from.count ? *reinterpret_cast<const unsigned*>(from.numbers + token * from.stride + column) : 0;
        }
}

// c[n] += a · (8 tokens of the tile from first + 8 n on)ᵀ
template <int N>
__device__ __forceinline__ void against(float (&c)[N][4], const unsigned (&a)[kSteps][4], const bf16 (*tile)[kRow], int first, const Side& me) {
#pragma unroll
    for (int n = 0; n < N; n++)
#pragma unroll
        for (int s = 0; s < kSteps; s += 2) {
            unsigned b[4];
            fetch(b, &tile[first + n * 8 + me.lane % 8][s * 16 + me.lane / 8 * 8]);
            multiply(c[n], a[s], b[0], b[1]);
            multiply(c[n], a[s + 1], b[2], b[3]);
        }
}

// c [16, 64] += p · (the N · 8 tokens of the tile from first on), p [16, N · 8] being what multiply has left
template <int N>
__device__ __forceinline__ void mixed(float (&c)[kWidth / 8][4], const float (&p)[N][4], const bf16 (*tile)[kRow], int first, const Side& me) {
#pragma unroll
    for (int k = 0; k < N / 2; k++) {
        const unsigned a[4] = {both(p[2 * k][0], p[2 * k][1]), both(p[2 * k][2], p[2 * k][3]), both(p[2 * k + 1][0], p[2 * k + 1][1]), both(p[2 * k + 1][2], p[2 * k + 1][3])};
#pragma unroll
        for (int n = 0; n < kWidth / 8; n += 2) {
            unsigned b[4];
            fetch_transposed(b, &tile[first + k * 16 + me.lane / 8 % 2 * 8 + me.lane % 8][n * 8 + me.lane / 16 * 8]);
            multiply(c[n], a, b[0], b[1]);
            multiply(c[n + 1], a, b[2], b[3]);
        }
    }
}

template <int N> __device__ __forceinline__ void clear(float (&c)[N][4]) {
#pragma unroll
    for (int n = 0; n < N; n++)
#pragma unroll
        for (int i = 0; i < 4; i++)
            c[n][i] = 0;
}

// Writes a warp's 16 tokens from first on, times a factor for each of its two halves.
__device__ __forceinline__ void put(bf16* to, long stride, int count, const float (&c)[kWidth / 8][4], int first, const float (&factor)[2], const Side& me) {
#pragma unroll
    for (int n = 0; n < kWidth / 8; n++)
#pragma unroll
        for (int half = 0; half < 2; half++) {
            const int token = first + me.g + half * 8;
            if (token < count)
                *reinterpret_cast<unsigned*>(to + token * stride + n * 8 + me.t * 2) = both(c[n][2 * half] * factor[half], c[n][2 * half + 1] * factor[half]);
        }
}

// of the four threads that hold a row
template <class F> __device__ __forceinline__ float over_row(float x, F join) {
    x = join(x, __shfl_xor_sync(0xffffffffu, x, 1));
    return join(x, __shfl_xor_sync(0xffffffffu, x, 2));
}

// mixed [rows, T, heads, 64]; spread [rows, heads, T]: log2 of the sum that each softmax was divided by, where scale2 = scale · log2 e.
extern "C" __global__ void __launch_bounds__(kThreads, 4) attention_forward(const bf16* q, const bf16* k, const bf16* v, bf16* result, float* spread, long q_stride, long kv_stride, int T, int group, float scale2, int causal) {
    __shared__ __align__(16) bf16 keys[kTile][kRow], values[kTile][kRow];
    const Side me;
    const int heads = gridDim.y, head = blockIdx.y, first = (gridDim.x - 1 - blockIdx.x) * kTile, mine = first + me.warp * 16; // the longest first
    const long row = blockIdx.z;
    const Tokens queries = {q + row * T * q_stride + head * kWidth, q_stride, T}, of_keys = {k + row * T * kv_stride + head / group * kWidth, kv_stride, T},
                 of_values = {v + row * T * kv_stride + head / group * kWidth, kv_stride, T};
    unsigned left[kSteps][4];
    hold(left, queries, mine, me);
    float sums[kWidth / 8][4], most[2] = {kNever, kNever}, all[2] = {0, 0};
    clear(sums);
    const int end = causal ? min(T, first + kTile) : T;
    for (int other = 0; other < end; other += kTile) {
        __syncthreads();
        stage(keys, of_keys, other);
        stage(values, of_values, other);
        __syncthreads();
        float p[kTile / 8][4];
        clear(p);
        against(p, left, keys, 0, me);
        float top[2] = {most[0], most[1]};
#pragma unroll
        for (int n = 0; n < kTile / 8; n++)
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const int token = mine + me.g + i / 2 * 8, seen = other + n * 8 + me.t * 2 + i % 2;
                p[n][i] = seen < T && (!causal || seen <= token) ? p[n][i] * scale2 : kNever;
                top[i / 2] = fmaxf(top[i / 2], p[n][i]);
            }
#pragma unroll
        for (int half = 0; half < 2; half++) {
            top[half] = over_row(top[half], [](float a, float b) { return fmaxf(a, b); });
            const float shrink = power_of_two(most[half] - top[half]);
            most[half] = top[half];
            all[half] *= shrink;
#pragma unroll
            for (int n = 0; n < kWidth / 8; n++) {
                sums[n][2 * half] *= shrink;
                sums[n][2 * half + 1] *= shrink;
            }
        }
#pragma unroll
        for (int n = 0; n < kTile / 8; n++)
#pragma unroll
            for (int i = 0; i < 4; i++) {
                p[n][i] = power_of_two(p[n][i] - most[i / 2]);
                all[i / 2] += p[n][i];
            }
        mixed(sums, p, values, 0, me);
    }
    float factor[2];
#pragma unroll
    for (int half = 0; half < 2; half++) {
        all[half] = over_row(all[half], [](float a, float b) { return a + b; });
        factor[half] = 1 / all[half];
        const int token = mine + me.g + half * 8;
        if (me.t == 0 && token < T)
            spread[(row * heads + head) * T + token] = most[half] + log2f(all[half]);
    }
    put(result + (row * T * heads + head) * kWidth, (long)heads * kWidth, T, sums, mine, factor, me);
}

// Σ gradient · result of each token and head, to [rows, heads, T]: what softmax's backward takes from every number of a row. Eight threads a token and head.
extern "C" __global__ void __launch_bounds__(256) attention_shares(const bf16* gradient, const bf16* result, float* shares, long tokens, int T, int heads) {
    const long i = ((long)blockIdx.x * blockDim.x + threadIdx.x) / 8, at = i * kWidth + threadIdx.x % 8 * 8;
    float sum = 0;
    if (i < tokens * heads) {
        const Pack<bf16, 8> a = load<bf16, 8>(gradient + at), b = load<bf16, 8>(result + at);
        for (int n = 0; n < 8; n++)
            sum += a[n] * b[n];
    }
    for (int step = 4; step > 0; step /= 2)
        sum += __shfl_xor_sync(0xffffffffu, sum, step);
    if (i < tokens * heads && threadIdx.x % 8 == 0) {
        const long token = i / heads, head = i % heads;
        shares[(token / T * heads + head) * T + token % T] = sum;
    }
}

struct Backward {
    const bf16 *q, *k, *v, *gradient; // the gradient is of [rows, T, heads, 64]
    const float *spread, *shares;
    bf16 *of_q, *of_k, *of_v; // tokens as far apart as those of q, k and v
    long q_stride, kv_stride, gradient_q_stride, gradient_kv_stride;
    int T, heads, group;
    float scale, scale2;
    int causal;

    __device__ __forceinline__ Tokens queries(long row, int head) const { return {q + row * T * q_stride + head * kWidth, q_stride, T}; }
    __device__ __forceinline__ Tokens gradients(long row, int head) const { return {gradient + (row * T * heads + head) * kWidth, (long)heads * kWidth, T}; }
    __device__ __forceinline__ Tokens keys(long row, int head) const { return {k + row * T * kv_stride + head / group * kWidth, kv_stride, T}; }
    __device__ __forceinline__ Tokens values(long row, int head) const { return {v + row * T * kv_stride + head / group * kWidth, kv_stride, T}; }
};

constexpr int kPart = 32; // tokens of a tile that are worked on at once: what is held of them stays in registers

// of_q: a block is 64 queries
__device__ __forceinline__ void backward_of_queries(const Backward& all, bf16 (*keys)[kRow], bf16 (*values)[kRow], int block, int head, long row) {
    const Side me;
    const int first = block * kTile, mine = first + me.warp * 16;
    unsigned left[kSteps][4], upstream[kSteps][4];
    hold(left, all.queries(row, head), mine, me);
    hold(upstream, all.gradients(row, head), mine, me);
    float spread[2], share[2], sums[kWidth / 8][4];
    for (int half = 0; half < 2; half++) {
        const int token = mine + me.g + half * 8;
        const long at = (row * all.heads + head) * all.T + token;
        spread[half] = token < all.T ? all.spread[at] : 0;
        share[half] = token < all.T ? all.shares[at] : 0;
    }
    clear(sums);
    const int end = all.causal ? min(all.T, first + kTile) : all.T;
    for (int other = 0; other < end; other += kTile) {
        __syncthreads();
        stage(keys, all.keys(row, head), other);
        stage(values, all.values(row, head), other);
        __syncthreads();
        for (int part = 0; part < kTile; part += kPart) {
            float p[kPart / 8][4], slope[kPart / 8][4];
            clear(p);
            clear(slope);
            against(p, left, keys, part, me);
            against(slope, upstream, values, part, me);
#pragma unroll
            for (int n = 0; n < kPart / 8; n++)
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    const int token = mine + me.g + i / 2 * 8, seen = other + part + n * 8 + me.t * 2 + i % 2;
                    const float share_of_it = seen < all.T && (!all.causal || seen <= token) ? power_of_two(p[n][i] * all.scale2 - spread[i / 2]) : 0;
                    slope[n][i] = share_of_it * (slope[n][i] - share[i / 2]);
                }
            mixed(sums, slope, keys, part, me);
        }
    }
    const float factor[2] = {all.scale, all.scale};
    put(all.of_q + row * all.T * all.gradient_q_stride + head * kWidth, all.gradient_q_stride, all.T, sums, mine, factor, me);
}

// of_k and of_v: a block is 64 keys, which every head of the group reads
__device__ __forceinline__ void backward_of_keys(const Backward& all, bf16 (*queries)[kRow], bf16 (*gradients)[kRow], float* spread, float* shares, int block, int shared_head, long row) {
    const Side me;
    const int first = block * kTile, mine = first + me.warp * 16;
    unsigned left[kSteps][4], upstream[kSteps][4];
    hold(left, all.keys(row, shared_head * all.group), mine, me);
    hold(upstream, all.values(row, shared_head * all.group), mine, me);
    float of_keys[kWidth / 8][4], of_values[kWidth / 8][4];
    clear(of_keys);
    clear(of_values);
    for (int head = shared_head * all.group; head < (shared_head + 1) * all.group; head++)
        for (int other = all.causal ? first : 0; other < all.T; other += kTile) {
            __syncthreads();
            stage(queries, all.queries(row, head), other);
            stage(gradients, all.gradients(row, head), other);
            for (int i = threadIdx.x; i < kTile; i += kThreads) {
                const long at = (row * all.heads + head) * all.T + other + i;
                spread[i] = other + i < all.T ? all.spread[at] : -kNever; // no share of what is not there
                shares[i] = other + i < all.T ? all.shares[at] : 0;
            }
            __syncthreads();
            for (int part = 0; part < kTile; part += kPart) {
                float p[kPart / 8][4], slope[kPart / 8][4];
                clear(p);
                clear(slope);
                against(p, left, queries, part, me);
                against(slope, upstream, gradients, part, me);
#pragma unroll
                for (int n = 0; n < kPart / 8; n++)
#pragma unroll
                    for (int i = 0; i < 4; i++) {
                        const int token = mine + me.g + i / 2 * 8, at = part + n * 8 + me.t * 2 + i % 2;
                        p[n][i] = !all.causal || token <= other + at ? power_of_two(p[n][i] * all.scale2 - spread[at]) : 0;
                        slope[n][i] = p[n][i] * (slope[n][i] - shares[at]);
                    }
                mixed(of_values, p, gradients, part, me);
                mixed(of_keys, slope, queries, part, me);
            }
        }
    const float factor[2] = {all.scale, all.scale}, one[2] = {1, 1};
    const long at = row * all.T * all.gradient_kv_stride + shared_head * kWidth;
    put(all.of_k + at, all.gradient_kv_stride, all.T, of_keys, mine, factor, me);
    put(all.of_v + at, all.gradient_kv_stride, all.T, of_values, mine, one, me);
}

// The first blocks of a row and head are for its keys, those that most queries see first; the others for its queries, those that see most first.
extern "C" __global__ void __launch_bounds__(kThreads, 3) attention_backward(const bf16* q, const bf16* k, const bf16* v, const bf16* gradient, const float* spread, const float* shares, bf16* of_q, bf16* of_k, bf16* of_v,
                                                                             long q_stride, long kv_stride, long gradient_q_stride, long gradient_kv_stride, int T, int group, float scale, float scale2, int causal) {
    __shared__ __align__(16) bf16 one[kTile][kRow], other[kTile][kRow];
    __shared__ float spread_of_tile[kTile], shares_of_tile[kTile];
    const Backward all = {q, k, v, gradient, spread, shares, of_q, of_k, of_v, q_stride, kv_stride, gradient_q_stride, gradient_kv_stride, T, (int)gridDim.y, group, scale, scale2, causal};
    const int blocks = gridDim.x / 2, block = blockIdx.x, head = blockIdx.y;
    if (block >= blocks)
        backward_of_queries(all, one, other, 2 * blocks - 1 - block, head, blockIdx.z);
    else if (head < (int)gridDim.y / group)
        backward_of_keys(all, one, other, spread_of_tile, shares_of_tile, block, head, blockIdx.z);
}
