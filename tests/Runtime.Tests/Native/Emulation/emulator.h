// CUDA C++ as a processor's compiler reads it, for kernels that are tested where there is no GPU. A block's threads take turns, each on a stack of its own, and go on where all of a warp or block have
// come to the same place. Slow, with one block at a time.
#pragma once
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <ucontext.h>
#include <vector>

#define __device__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ static
#define __align__(bytes) __attribute__((aligned(bytes)))
#define EMULATED_SHARED(type, name) type* name = reinterpret_cast<type*>(emulated::dynamic_shared)

struct alignas(8) uint2 { unsigned x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
struct dim3 { unsigned x, y, z; };
static dim3 gridDim, blockDim, blockIdx, threadIdx;

namespace emulated {
constexpr int kMostThreads = 1024, kMostBytes = 64, kStack = 1 << 16;
struct Thread {
    ucontext_t context;
    std::vector<char> stack;
    bool ended;
    long met, waited; // times it met its warp, and its block
};
static std::vector<Thread> threads(kMostThreads);
static ucontext_t outside;
static std::function<void()> body;
static int current;
static char given[kMostThreads / 32][2][32 * kMostBytes];
alignas(16) static char dynamic_shared[1 << 18];

inline void yield() {
    const int own = current;
    swapcontext(&threads[own].context, &outside);
}

inline void run() {
    body();
    threads[current].ended = true;
    swapcontext(&threads[current].context, &outside);
}

// What every thread of the warp has given. Two places take turns: nobody comes to the next but one before all have read this.
inline const void* meet(const void* mine, size_t bytes) {
    const int own = current, warp = own / 32;
    const long time = ++threads[own].met;
    char* place = given[warp][time % 2];
    if (bytes > kMostBytes)
        abort();
    memcpy(place + own % 32 * bytes, mine, bytes);
    for (bool all = false; !all; ) {
        all = true;
        for (int i = warp * 32; i < warp * 32 + 32 && i < (int)blockDim.x; i++)
            all = all && (threads[i].ended || threads[i].met >= time);
        if (!all)
            yield();
    }
    return place;
}

inline void launch(const unsigned* grid, unsigned block, const std::function<void()>& kernel) {
    gridDim = {grid[0], grid[1], grid[2]};
    blockDim = {block, 1, 1};
    body = kernel;
    for (unsigned z = 0; z < grid[2]; z++)
        for (unsigned y = 0; y < grid[1]; y++)
            for (unsigned x = 0; x < grid[0]; x++) {
                blockIdx = {x, y, z};
                for (unsigned i = 0; i < block; i++) {
                    Thread& thread = threads[i];
                    thread.stack.resize(kStack);
                    thread.ended = false;
                    thread.met = thread.waited = 0;
                    getcontext(&thread.context);
                    thread.context.uc_stack.ss_sp = thread.stack.data();
                    thread.context.uc_stack.ss_size = thread.stack.size();
                    thread.context.uc_link = &outside;
                    makecontext(&thread.context, run, 0);
                }
                for (bool any = true; any; ) {
                    any = false;
                    for (unsigned i = 0; i < block; i++)
                        if (!threads[i].ended) {
                            any = true;
                            current = (int)i;
                            threadIdx = {i, 0, 0};
                            swapcontext(&outside, &threads[i].context);
                        }
                }
            }
}
} // namespace emulated

inline void __syncthreads() {
    const int own = emulated::current;
    const long time = ++emulated::threads[own].waited;
    for (bool all = false; !all; ) {
        all = true;
        for (unsigned i = 0; i < blockDim.x; i++)
            all = all && (emulated::threads[i].ended || emulated::threads[i].waited >= time);
        if (!all)
            emulated::yield();
    }
}

inline void __syncwarp() { emulated::meet("", 1); }
inline float __shfl_xor_sync(unsigned, float x, int step) { return static_cast<const float*>(emulated::meet(&x, sizeof x))[(threadIdx.x % 32) ^ step]; }

template <class To, class From> inline To same_bits(From x) {
    static_assert(sizeof(To) == sizeof(From), "");
    To y;
    memcpy(&y, &x, sizeof y);
    return y;
}
inline float __uint_as_float(unsigned x) { return same_bits<float>(x); }
inline float __int_as_float(int x) { return same_bits<float>(x); }
inline unsigned __float_as_uint(float x) { return same_bits<unsigned>(x); }
#define __expf(x) expf(x) // glibc has a function of this name
inline float __fdividef(float x, float y) { return x / y; }
inline float __fmul_rn(float x, float y) { return x * y; }
inline float __fadd_rn(float x, float y) { return x + y; }
inline float rsqrtf(float x) { return 1 / sqrtf(x); }
template <class T> inline T min(T a, T b) { return b < a ? b : a; }
template <class T> inline T max(T a, T b) { return a < b ? b : a; }
