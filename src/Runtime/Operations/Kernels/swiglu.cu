// silu(gate) * up with the low-rank branches of both, and its backward with the branch of the layer that reads the result. gate and up stand side by side: [T, 2 F]. A warp has 32 columns and goes down a
// run of rows, 16 at a time. A thread reads eight neighbours of a row at once: its j-th two are its columns of the j-th of four small matrices, so that column n of that matrix is column
// n / 2 * 8 + 2 j + n % 2 of the warp's. What passes between the factors comes rounded, twice side by side; a factor is a number and what its rounding left: both are products of tensor.cuh.
#include "tensor.cuh"

constexpr int kThreads = 128;
constexpr int kColumns = 32; // of a warp
constexpr int kRows = 16;
constexpr int kTiles = kColumns / 8;

struct Lane {
    int g, t;
    __device__ __forceinline__ Lane() : g(threadIdx.x % 32 / 4), t(threadIdx.x % 4) {}
    __device__ __forceinline__ int column(int tile, int n) const { return n / 2 * 8 + 2 * tile + n % 2; }
};

// What passes between two factors, [T, stride].
struct Hidden {
    const bf16* numbers; // not read where rank is 0
    int stride, first, rank;

    __device__ __forceinline__ unsigned two(long row, long T, int k) const {
        const bf16* own = numbers + row * stride + first + k;
        return row < T && k < rank ? own[0].bits | (k + 1 < rank ? (unsigned)own[1].bits << 16 : 0) : 0;
    }
};

// A factor's numbers at this thread's columns, those of every tile: rounded, and what that left. R ranks, 0 beyond those there are.
template <int R> struct Factor {
    unsigned rounded[kTiles][R / 8], lacking[kTiles][R / 8];

    // numbers[column * along_column + rank * along_rank], column being below F
    __device__ __forceinline__ Factor(const float* numbers, int rank, long along_column, long along_rank, long first, long F, const Lane& me) {
#pragma unroll
        for (int j = 0; j < kTiles; j++)
#pragma unroll
            for (int q = 0; q < R / 8; q++) {
                const long column = first + me.column(j, me.g);
                float x[2];
#pragma unroll
                for (int i = 0; i < 2; i++) {
                    const int k = q * 8 + 2 * me.t + i;
                    x[i] = k < rank && column < F ? numbers[column * along_column + k * along_rank] : 0.0f;
                }
                rounded[j][q] = both(x[0], x[1]);
                lacking[j][q] = both(x[0] - widen(bf16{(unsigned short)rounded[j][q]}), x[1] - widen(bf16{(unsigned short)(rounded[j][q] >> 16)}));
            }
    }
};

// What passes between the factors in 16 rows: rows g and g + 8, ranks 2 t and 2 t + 1 of every eight.
template <int R> struct Between {
    unsigned of[R / 8][2];

    __device__ __forceinline__ Between(const Hidden& hidden, long row, long T, const Lane& me) {
#pragma unroll
        for (int q = 0; q < R / 8; q++)
#pragma unroll
            for (int half = 0; half < 2; half++)
                of[q][half] = hidden.two(row + me.g + 8 * half, T, q * 8 + 2 * me.t);
    }

    // y += h · factor, of one tile
    __device__ __forceinline__ void add_to(float (&y)[4], const Factor<R>& factor, int tile) const {
#pragma unroll
        for (int q = 0; q < R / 8; q++) {
            const unsigned h[4] = {of[q][0], of[q][1], of[q][0], of[q][1]};
            multiply(y, h, factor.rounded[tile][q], factor.lacking[tile][q]);
        }
    }

    // ranks by rows, for sums over rows
    __device__ __forceinline__ Between across() const {
        Between turned = *this;
#pragma unroll
        for (int q = 0; q < R / 8; q++)
#pragma unroll
            for (int half = 0; half < 2; half++)
                turned.of[q][half] = transposed(of[q][half]);
        return turned;
    }
};

// Eight neighbours of rows g and g + 8, two by two, 0 beyond the last row and column.
struct Eights {
    unsigned two[2][kTiles];

    __device__ __forceinline__ Eights() : two{} {}
    __device__ __forceinline__ Eights(const bf16* numbers, long stride, long row, long T, bool inside) : two{} {
#pragma unroll
        for (int half = 0; half < 2; half++)
            if (inside && row + 8 * half < T) {
                const uint4 all = *reinterpret_cast<const uint4*>(numbers + (row + 8 * half) * stride);
                two[half][0] = all.x, two[half][1] = all.y, two[half][2] = all.z, two[half][3] = all.w;
            }
    }

    __device__ __forceinline__ void put(bf16* numbers, long stride, long row, long T, bool inside) const {
#pragma unroll
        for (int half = 0; half < 2; half++)
            if (inside && row + 8 * half < T) {
                const uint4 all = {two[half][0], two[half][1], two[half][2], two[half][3]};
                *reinterpret_cast<uint4*>(numbers + (row + 8 * half) * stride) = all;
            }
    }

    __device__ __forceinline__ void widened(float (&x)[4], int tile) const {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            x[2 * half] = widen(bf16{(unsigned short)two[half][tile]});
            x[2 * half + 1] = widen(bf16{(unsigned short)(two[half][tile] >> 16)});
        }
    }

    __device__ __forceinline__ void set(int tile, const float (&x)[4]) {
        two[0][tile] = both(x[0], x[1]);
        two[1][tile] = both(x[2], x[3]);
    }
};

__device__ __forceinline__ float sigmoid(float x) { return __fdividef(1.f, 1.f + __expf(-x)); }

template <int R>
__device__ __forceinline__ void forward(const bf16* products, Hidden gate, Hidden up, const float* gate_b, const float* up_b, bf16* result, long T, long F, int run) {
    const Lane me;
    const long first = ((long)blockIdx.x * (kThreads / 32) + threadIdx.x / 32) * kColumns, mine = first + 8 * me.t;
    if (first >= F)
        return;
    const bool inside = mine < F;
    const Factor<R> of_gate(gate_b, gate.rank, gate.rank, 1, first, F, me), of_up(up_b, up.rank, up.rank, 1, first, F, me);
    const long begin = (long)blockIdx.y * run, end = min(T, begin + run);
    Eights next_gate(products + mine, 2 * F, begin + me.g, end, inside), next_up(products + F + mine, 2 * F, begin + me.g, end, inside);
    for (long row = begin; row < end; row += kRows) {
        Eights gates = next_gate, ups = next_up, results;
        next_gate = Eights(products + mine, 2 * F, row + kRows + me.g, end, inside);
        next_up = Eights(products + F + mine, 2 * F, row + kRows + me.g, end, inside);
        const Between<R> of_rows(gate, row, T, me), of_rows_up(up, row, T, me);
#pragma unroll
        for (int j = 0; j < kTiles; j++) {
            float x[4], y[4];
            gates.widened(x, j);
            ups.widened(y, j);
            of_rows.add_to(x, of_gate, j);
            of_rows_up.add_to(y, of_up, j);
#pragma unroll
            for (int i = 0; i < 4; i++)
                x[i] *= sigmoid(x[i]) * y[i];
            results.set(j, x);
        }
        results.put(result + mine, F, row + me.g, end, inside);
    }
}

// Sums over rows of what passes between the factors, times a gradient: ranks by columns of every tile. Of up to eight ranks there is room for two gradients: second says which.
template <int R> struct Sums {
    float of[kTiles][4];

    __device__ __forceinline__ Sums() : of{} {}

    // x [16 rows, the tile's columns], its upper and lower half as Eights have them; ranks by rows
    __device__ __forceinline__ void add(int tile, bool second, const Between<R>& h, unsigned upper, unsigned lower) {
        const unsigned ranks[4] = {R > 8 || !second ? h.of[0][0] : 0, R > 8 || second ? h.of[R / 8 - 1][0] : 0, R > 8 || !second ? h.of[0][1] : 0, R > 8 || second ? h.of[R / 8 - 1][1] : 0};
        multiply(of[tile], ranks, transposed(upper), transposed(lower));
    }

    // numbers[column * along_column + rank * along_rank]
    __device__ __forceinline__ void put(float* numbers, bool second, int rank, long along_column, long along_rank, long first, long F, const Lane& me) const {
#pragma unroll
        for (int j = 0; j < kTiles; j++)
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const int k = me.g + (R > 8 ? i / 2 * 8 : 0);
                const long column = first + me.column(j, 2 * me.t + i % 2);
                if ((R > 8 || i / 2 == (second ? 1 : 0)) && k < rank && column < F)
                    numbers[column * along_column + k * along_rank] = of[j][i];
            }
    }
};

// The gradients of gate and up take the place of the products. Sums over this block's rows go to its part of [blocks, F * (gate rank + up rank + down rank)]: B of gate, B of up, A of down.
template <int R>
__device__ __forceinline__ void backward(bf16* products, Hidden gate, Hidden up, Hidden down, const float* gate_b, const float* up_b, const float* down_a, const bf16* gradient, float* partial,
                                         long T, long F, int run) {
    const Lane me;
    const long first = ((long)blockIdx.x * (kThreads / 32) + threadIdx.x / 32) * kColumns, mine = first + 8 * me.t;
    if (first >= F)
        return;
    const bool inside = mine < F;
    const Factor<R> of_gate(gate_b, gate.rank, gate.rank, 1, first, F, me), of_up(up_b, up.rank, up.rank, 1, first, F, me), of_down(down_a, down.rank, 1, F, first, F, me);
    Sums<R> gate_sums, others, down_sums;
    Sums<R>& up_sums = R > 8 ? others : gate_sums;
    const long begin = (long)blockIdx.y * run, end = min(T, begin + run);
    Eights next_gate(products + mine, 2 * F, begin + me.g, end, inside), next_up(products + F + mine, 2 * F, begin + me.g, end, inside), next_gradient(gradient + mine, F, begin + me.g, end, inside);
    for (long row = begin; row < end; row += kRows) {
        Eights gates = next_gate, ups = next_up, gradients = next_gradient;
        next_gate = Eights(products + mine, 2 * F, row + kRows + me.g, end, inside);
        next_up = Eights(products + F + mine, 2 * F, row + kRows + me.g, end, inside);
        next_gradient = Eights(gradient + mine, F, row + kRows + me.g, end, inside);
        const Between<R> of_rows(gate, row, T, me), of_rows_up(up, row, T, me), of_rows_down(down, row, T, me);
        const Between<R> ranks = of_rows.across(), ranks_up = of_rows_up.across(), ranks_down = of_rows_down.across();
#pragma unroll
        for (int j = 0; j < kTiles; j++) {
            float x[4], y[4], z[4];
            gates.widened(x, j);
            ups.widened(y, j);
            gradients.widened(z, j);
            of_rows.add_to(x, of_gate, j);
            of_rows_up.add_to(y, of_up, j);
            of_rows_down.add_to(z, of_down, j);
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const float s = sigmoid(x[i]), open = x[i] * s, of_x = z[i] * y[i] * s * (1.f + x[i] * (1.f - s)), of_y = z[i] * open;
                z[i] = open * y[i]; // beyond the last row and column all of them are 0
                x[i] = of_x;
                y[i] = of_y;
            }
            gates.set(j, x);
            ups.set(j, y);
            gate_sums.add(j, false, ranks, gates.two[0][j], gates.two[1][j]);
            up_sums.add(j, true, ranks_up, ups.two[0][j], ups.two[1][j]);
            down_sums.add(j, false, ranks_down, both(z[0], z[1]), both(z[2], z[3]));
        }
        gates.put(products + mine, 2 * F, row + me.g, end, inside);
        ups.put(products + F + mine, 2 * F, row + me.g, end, inside);
    }
    float* own = partial + blockIdx.y * F * (gate.rank + up.rank + down.rank);
    gate_sums.put(own, false, gate.rank, gate.rank, 1, first, F, me);
    up_sums.put(own + F * gate.rank, true, up.rank, up.rank, 1, first, F, me);
    down_sums.put(own + F * (gate.rank + up.rank), false, down.rank, 1, F, first, F, me);
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
