// Numbers of matrices in 4 bits: level of the code * scale of its block, the scale being step of its own code * scale of 256 blocks + offset. The same numbers as the composed operators give.
#include "numbers.cuh"

constexpr int kThreads = 256;
constexpr int kBytes = 16; // a thread reads 32 codes, half a block
constexpr int kCodes = 2 * kBytes;

template <class T>
__device__ __forceinline__ void dequantize(const unsigned char* packed, const float* pairs, const unsigned char* codes, const float* steps, const float* nested, const float* offset, const float* plain, T* numbers, long long count) {
    constexpr int V = 16 / sizeof(T);
    __shared__ float levels[16];
    if (threadIdx.x < 16)
        levels[threadIdx.x] = pairs[2 * threadIdx.x + 1]; // bytes 0 to 15 hold each level in their lower half
    __syncthreads();
    const long long first = ((long long)blockIdx.x * kThreads + threadIdx.x) * kCodes;
    if (first >= count)
        return;
    const long long block = first / 64;
    // no fused multiply-add: the composed operators round between the two
    const float scale = plain ? plain[block] : __fadd_rn(__fmul_rn(steps[codes[block]], nested[block / 256]), *offset);
    union { uint4 bits; unsigned char bytes[kBytes]; } in = {*reinterpret_cast<const uint4*>(packed + first / 2)};
    if (first + kCodes <= count && (unsigned long long)numbers % 16 == 0) {
#pragma unroll
        for (int i = 0; i < kCodes; i += V) {
            Pack<T, V> out;
#pragma unroll
            for (int v = 0; v < V; v += 2) {
                const unsigned char byte = in.bytes[(i + v) / 2];
                out.set(v, levels[byte >> 4] * scale);
                out.set(v + 1, levels[byte & 15] * scale);
            }
            store<T, V>(numbers + first + i, out);
        }
        return;
    }
    for (int i = 0; i < kCodes && first + i < count; i++) { // the end of a matrix whose last block is short
        const unsigned char byte = in.bytes[i / 2];
        numbers[first + i] = narrow<T>(levels[i % 2 ? byte & 15 : byte >> 4] * scale);
    }
}

#define DEQUANTIZE(name, T)                                                                                                                                          \
    extern "C" __global__ void name(const unsigned char* packed, const float* pairs, const unsigned char* codes, const float* steps, const float* nested, const float* offset, const float* plain, \
        T* numbers, long long count) {                                                                                                                               \
        dequantize<T>(packed, pairs, codes, steps, nested, offset, plain, numbers, count);                                                                           \
    }

DEQUANTIZE(nf4_numbers_bf16, bf16)
DEQUANTIZE(nf4_numbers_float, float)
