// What a warp does of a matrix of bfloat16: it has 32 columns and goes down a run of rows, 16 at a time, a thread four neighbours of four rows. They come through shared memory, and lie in a thread as
// products of tensor.cuh give them, columns by rows: what such a product gives is the left side of the next one, which sums over rows.
#pragma once
#include "tensor.cuh"

constexpr int kThreads = 128;
constexpr int kColumns = 32; // of a warp
constexpr int kRows = 16;
constexpr int kTiles = 2; // of 16 columns: 4 g + 2 tile, then those behind each
constexpr int kHalves = 2; // of the rows
constexpr int kStages = 2;

struct Lane {
    int g, t;
    __device__ __forceinline__ Lane() : g(threadIdx.x % 32 / 4), t(threadIdx.x % 4) {}
    __device__ __forceinline__ int column(int tile, int second) const { return 4 * g + 2 * tile + second; }
    __device__ __forceinline__ int row(int half, int second) const { return 8 * half + 2 * t + second; }
};

// Where a warp works: its first column and the first row of its run, a thread's first of each, how many rows the run has, and how many of them this thread reads: none beyond the last column.
struct Part {
    long first, mine, begin, row;
    int run, rows;

    __device__ __forceinline__ Part(long T, long F, int most, const Lane& me)
        : first(((long)blockIdx.x * (kThreads / 32) + threadIdx.x / 32) * kColumns), mine(first + me.column(0, 0)), begin((long)blockIdx.y * most), row(begin + me.row(0, 0)),
          run((int)min(T - begin, (long)most)), rows(mine < F ? run : 0) {}
};

// The left side of a product over 16 rows, from columns by rows of each half.
struct Columns {
    unsigned of[2 * kHalves];
    __device__ __forceinline__ void set(int half, const float (&x)[4]) {
        of[2 * half] = both(x[0], x[1]);
        of[2 * half + 1] = both(x[2], x[3]);
    }
};

// Four neighbours of each of a thread's rows.
struct Fours {
    unsigned two[kHalves][2][kTiles];

    // of those there are; numbers begin at the thread's first
    __device__ __forceinline__ void put(bf16* numbers, long stride, int rows, const Lane& me) const {
#pragma unroll
        for (int half = 0; half < kHalves; half++)
#pragma unroll
            for (int second = 0; second < 2; second++)
                if (me.row(half, second) < rows)
                    *reinterpret_cast<uint2*>(numbers + (8 * half + second) * stride) = uint2{two[half][second][0], two[half][second][1]};
    }

    // columns by rows, as a product gives them
    __device__ __forceinline__ void widened(float (&x)[4], int tile, int half) const {
        x[0] = lower(two[half][0][tile]), x[1] = lower(two[half][1][tile]);
        x[2] = upper(two[half][0][tile]), x[3] = upper(two[half][1][tile]);
    }

    __device__ __forceinline__ void set(int tile, int half, const float (&x)[4]) {
        two[half][0][tile] = both(x[0], x[2]);
        two[half][1][tile] = both(x[1], x[3]);
    }
};

// A warp's columns of N tensors, 16 rows at a time, in shared memory up to kStages times before they are read; 0 beyond the last row and column. Two rows are eight times 16 bytes in an order that
// has threads which read at once read from different banks.
template <int N> struct Stream {
    using Stage = uint4[N][kRows * kColumns / 8];
    Stage* stages;
    const bf16* source[N];
    long stride[N];
    int place, row, run;

    __device__ __forceinline__ Stream(Stage* stages, const Part& part, long F) : stages(stages), row(threadIdx.x % 32 / 4), run(part.first + threadIdx.x % 4 * 8 < F ? part.run : 0) {
        place = row / 2 * 8 + (row % 2 * 4 + threadIdx.x % 4 ^ 2 * (row / 2));
    }

    __device__ __forceinline__ void of(int tensor, const bf16* numbers, long stride, const Part& part) {
        source[tensor] = numbers + (part.begin + row) * stride + part.first + threadIdx.x % 4 * 8;
        this->stride[tensor] = stride;
    }

    // called for each stage once, in their order
    __device__ __forceinline__ void fetch(int stage) {
        uint4* own = stages[stage % kStages][0] + place;
#pragma unroll
        for (int tensor = 0; tensor < N; tensor++) {
#pragma unroll
            for (int half = 0; half < kHalves; half++)
                copy_later(own + (tensor * kRows + 8 * half) * (kColumns / 8), source[tensor] + 8 * half * stride[tensor], row + 8 * half < run);
            source[tensor] += kRows * stride[tensor];
        }
        row += kRows;
        close_group();
    }

    // has a stage there for all threads, and fetches one into the place of the last
    __device__ __forceinline__ void next(int stage) {
        await_groups<kStages - 2>();
        __syncwarp();
        fetch(stage + kStages - 1);
    }

    __device__ __forceinline__ Fours operator()(int stage, int tensor, const Lane& me) const {
        const uint2* own = reinterpret_cast<const uint2*>(stages[stage % kStages][tensor]);
        const int first = me.t * 8 + (me.g / 2 ^ 2 * me.t);
        Fours all;
#pragma unroll
        for (int half = 0; half < kHalves; half++)
#pragma unroll
            for (int second = 0; second < 2; second++) {
                const uint2 four = own[64 * half + (first ^ 4 * second) * 2 + me.g % 2];
                all.two[half][second][0] = four.x, all.two[half][second][1] = four.y;
            }
        return all;
    }
};
