// silu(gate) * up with the low-rank branches of both, and its backward with the branch of the layer that reads the result. gate and up stand side by side: [T, 2 F]. What passes between the factors comes
// rounded, twice side by side; a factor is a number and what its rounding left: both are small products, columns by ranks by rows.
#include "tiles.cuh"

// What passes between two factors, [T, stride], of one layer: twice rank numbers of a row.
struct Hidden {
    const bf16* numbers; // not read where rank is 0
    int stride, rank;
};

// What passes between two factors in 16 rows, as the right side of a product over ranks: 0 beyond the last row. What is read behind an odd rank meets a factor of 0.
template <int R> struct Between {
    unsigned of[kHalves][R / 8];

    __device__ __forceinline__ Between(const Hidden& hidden, long row, long T, const Lane& me) {
        const bf16* own = hidden.numbers + (row + me.g) * hidden.stride + 2 * me.t;
#pragma unroll
        for (int half = 0; half < kHalves; half++)
#pragma unroll
            for (int q = 0; q < R / 8; q++)
                of[half][q] = row + me.g + 8 * half < T && q * 8 + 2 * me.t < hidden.rank ? *reinterpret_cast<const unsigned*>(own + 8 * half * hidden.stride + q * 8) : 0;
    }
};

// A factor's numbers at this warp's columns: rounded, and what that left. R ranks, 0 beyond those there are.
template <int R> struct Factor {
    unsigned rounded[kTiles][R / 8][2], lacking[kTiles][R / 8][2];

    // numbers[column * along_column + rank * along_rank], column being below F
    __device__ __forceinline__ Factor(const float* numbers, int rank, long along_column, long along_rank, long first, long F, const Lane& me) {
#pragma unroll
        for (int j = 0; j < kTiles; j++)
#pragma unroll
            for (int q = 0; q < R / 8; q++)
#pragma unroll
                for (int second = 0; second < 2; second++) {
                    const long column = first + me.column(j, second);
                    float x[2];
#pragma unroll
                    for (int i = 0; i < 2; i++) {
                        const int k = q * 8 + 2 * me.t + i;
                        x[i] = k < rank && column < F ? numbers[column * along_column + k * along_rank] : 0.0f;
                    }
                    rounded[j][q][second] = both(x[0], x[1]);
                    lacking[j][q][second] = both(x[0] - lower(rounded[j][q][second]), x[1] - upper(rounded[j][q][second]));
                }
    }

    // y += factor · h, of one tile and half: columns by rows
    __device__ __forceinline__ void add_to(float (&y)[4], const Between<R>& h, int tile, int half) const {
#pragma unroll
        for (int q = 0; q < R / 8; q++) {
            const unsigned a[4] = {rounded[tile][q][0], rounded[tile][q][1], lacking[tile][q][0], lacking[tile][q][1]};
            multiply(y, a, h.of[half][q], h.of[half][q]);
        }
    }
};

__device__ __forceinline__ float sigmoid(float x) { return __fdividef(1.f, 1.f + __expf(-x)); }

template <int R>
__device__ __forceinline__ void forward(const bf16* products, Hidden gate, Hidden up, const float* gate_b, const float* up_b, bf16* result, long T, long F, int run) {
    const Lane me;
    const Part part(T, F, run, me);
    if (part.first >= F)
        return;
    const Factor<R> of_gate(gate_b, gate.rank, gate.rank, 1, part.first, F, me), of_up(up_b, up.rank, up.rank, 1, part.first, F, me);
    __shared__ __align__(128) typename Stream<2>::Stage stages[kThreads / 32][kStages];
    Stream<2> stream(stages[threadIdx.x / 32], part, F);
    stream.of(0, products, 2 * F, part);
    stream.of(1, products + F, 2 * F, part);
    for (int stage = 0; stage < kStages - 1; stage++)
        stream.fetch(stage);
    bf16* result_at = result + part.row * F + part.mine;
    for (int stage = 0; stage * kRows < part.run; stage++, result_at += kRows * F) {
        const long row = part.begin + stage * kRows;
        const int rows = part.rows - stage * kRows;
        const Between<R> hidden(gate, row, T, me), hidden_up(up, row, T, me);
        stream.next(stage);
        const Fours gates = stream(stage, 0, me), ups = stream(stage, 1, me);
        Fours results;
#pragma unroll
        for (int j = 0; j < kTiles; j++)
#pragma unroll
            for (int half = 0; half < kHalves; half++) {
                float x[4], y[4];
                gates.widened(x, j, half);
                ups.widened(y, j, half);
                of_gate.add_to(x, hidden, j, half);
                of_up.add_to(y, hidden_up, j, half);
#pragma unroll
                for (int i = 0; i < 4; i++)
                    x[i] *= sigmoid(x[i]) * y[i];
                results.set(j, half, x);
            }
        results.put(result_at, F, rows, me);
    }
}

// Sums over rows of a gradient times what passes between the factors: columns by ranks.
template <int R> struct Sums {
    float of[kTiles][R / 8][4];

    __device__ __forceinline__ Sums() : of{} {}

    __device__ __forceinline__ void add(int tile, const Columns& x, const Between<R>& h) {
#pragma unroll
        for (int q = 0; q < R / 8; q++)
            multiply(of[tile][q], x.of, transposed(h.of[0][q]), transposed(h.of[1][q]));
    }

    // numbers[column * along_column + rank * along_rank]
    __device__ __forceinline__ void put(float* numbers, int rank, long along_column, long along_rank, long first, long F, const Lane& me) const {
#pragma unroll
        for (int j = 0; j < kTiles; j++)
#pragma unroll
            for (int q = 0; q < R / 8; q++)
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    const int k = q * 8 + 2 * me.t + i % 2;
                    const long column = first + me.column(j, i / 2);
                    if (k < rank && column < F)
                        numbers[column * along_column + k * along_rank] = of[j][q][i];
                }
    }
};

// The gradients of gate and up take the place of the products. Sums over this block's rows go to its part of [blocks, F * (gate rank + up rank + down rank)]: B of gate, B of up, A of down.
template <int R>
__device__ __forceinline__ void backward(bf16* products, Hidden gate, Hidden up, Hidden down, const float* gate_b, const float* up_b, const float* down_a, const bf16* gradient, float* partial,
                                         long T, long F, int run) {
    const Lane me;
    const Part part(T, F, run, me);
    if (part.first >= F)
        return;
    const Factor<R> of_gate(gate_b, gate.rank, gate.rank, 1, part.first, F, me), of_up(up_b, up.rank, up.rank, 1, part.first, F, me), of_down(down_a, down.rank, 1, F, part.first, F, me);
    Sums<R> gate_sums, up_sums, down_sums;
    __shared__ __align__(128) typename Stream<3>::Stage stages[kThreads / 32][kStages];
    Stream<3> stream(stages[threadIdx.x / 32], part, F);
    stream.of(0, products, 2 * F, part);
    stream.of(1, products + F, 2 * F, part);
    stream.of(2, gradient, F, part);
    for (int stage = 0; stage < kStages - 1; stage++)
        stream.fetch(stage);
    bf16* products_at = products + part.row * 2 * F + part.mine;
    for (int stage = 0; stage * kRows < part.run; stage++, products_at += kRows * 2 * F) {
        const long row = part.begin + stage * kRows;
        const int rows = part.rows - stage * kRows;
        const Between<R> hidden(gate, row, T, me), hidden_up(up, row, T, me), hidden_down(down, row, T, me);
        stream.next(stage);
        Fours gates = stream(stage, 0, me), ups = stream(stage, 1, me);
        const Fours gradients = stream(stage, 2, me);
#pragma unroll
        for (int j = 0; j < kTiles; j++) {
            Columns of_x, of_y, of_z;
#pragma unroll
            for (int half = 0; half < kHalves; half++) {
                float x[4], y[4], z[4];
                gates.widened(x, j, half);
                ups.widened(y, j, half);
                gradients.widened(z, j, half);
                of_gate.add_to(x, hidden, j, half);
                of_up.add_to(y, hidden_up, j, half);
                of_down.add_to(z, hidden_down, j, half);
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    const float s = sigmoid(x[i]), open = x[i] * s, to_x = z[i] * y[i] * s * (1.f + x[i] * (1.f - s)), to_y = z[i] * open;
                    z[i] = open * y[i]; // beyond the last row and column all of them are 0
                    x[i] = to_x;
                    y[i] = to_y;
                }
                gates.set(j, half, x);
                ups.set(j, half, y);
                of_x.set(half, x);
                of_y.set(half, y);
                of_z.set(half, z);
            }
            gate_sums.add(j, of_x, hidden);
            up_sums.add(j, of_y, hidden_up);
            down_sums.add(j, of_z, hidden_down);
        }
        gates.put(products_at, 2 * F, rows, me);
        ups.put(products_at + F, 2 * F, rows, me);
    }
    float* own = partial + blockIdx.y * F * (gate.rank + up.rank + down.rank);
    gate_sums.put(own, gate.rank, gate.rank, 1, part.first, F, me);
    up_sums.put(own + F * gate.rank, up.rank, up.rank, 1, part.first, F, me);
    down_sums.put(own + F * (gate.rank + up.rank), down.rank, 1, F, part.first, F, me);
}

// so many blocks of each at once on a multiprocessor
#define SWIGLU(R, forwards, backwards) \
    extern "C" __global__ void __launch_bounds__(kThreads, forwards) swiglu_forward_##R(const bf16* products, const bf16* hidden, int stride, int gate_first, int gate_rank, int up_first, \
                                                                                        int up_rank, const float* gate_b, const float* up_b, bf16* result, long T, long F, int run) { \
        forward<R>(products, {hidden + gate_first, stride, gate_rank}, {hidden + up_first, stride, up_rank}, gate_b, up_b, result, T, F, run); \
    } \
    extern "C" __global__ void __launch_bounds__(kThreads, backwards) swiglu_backward_##R(bf16* products, const bf16* hidden, int stride, int gate_first, int gate_rank, int up_first, int up_rank, \
                                                                                          const float* gate_b, const float* up_b, const bf16* gradient, const bf16* down_hidden, int down_stride, \
                                                                                          int down_rank, const float* down_a, float* partial, long T, long F, int run) { \
        backward<R>(products, {hidden + gate_first, stride, gate_rank}, {hidden + up_first, stride, up_rank}, {down_hidden, down_stride, down_rank}, gate_b, up_b, down_a, gradient, partial, \
                    T, F, run); \
    }

SWIGLU(8, 6, 3)
SWIGLU(16, 4, 2)
