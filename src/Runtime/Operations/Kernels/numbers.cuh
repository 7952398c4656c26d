// Number formats and sums that the kernels share. No header of CUDA is needed.
#pragma once

struct bf16 { unsigned short bits; };

__device__ __forceinline__ float widen(float x) { return x; }
__device__ __forceinline__ float widen(bf16 x) { return __uint_as_float((unsigned)x.bits << 16); }

// Two numbers side by side, the first in the lower half.
__device__ __forceinline__ float lower(unsigned two) { return __uint_as_float(two << 16); }
__device__ __forceinline__ float upper(unsigned two) { return __uint_as_float(two & 0xffff0000u); }

// Rounds to the nearest numbers of the format, to the even ones of two, side by side.
__device__ __forceinline__ unsigned both(float low, float high) {
#if __CUDA_ARCH__ >= 800
    unsigned two;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(two) : "f"(high), "f"(low));
    return two;
#else
    auto rounded = [](float x) { return x != x ? 0x7fffu : (__float_as_uint(x) + 0x7fff + (__float_as_uint(x) >> 16 & 1)) >> 16; };
    return rounded(low) | rounded(high) << 16;
#endif
}

template <class T> __device__ __forceinline__ T narrow(float x);
template <> __device__ __forceinline__ float narrow<float>(float x) { return x; }
template <> __device__ __forceinline__ bf16 narrow<bf16>(float x) { return {(unsigned short)both(x, 0.0f)}; }

// V numbers that are read and written together: V = 16 / sizeof(T) where rows begin at multiples of 16 bytes, else 1.
template <class T, int V> struct alignas(V * sizeof(T)) Pack {
    T of[V];
    __device__ __forceinline__ float operator[](int i) const { return widen(of[i]); }
    __device__ __forceinline__ void set(int i, float x) { of[i] = narrow<T>(x); }
};

template <class T, int V> __device__ __forceinline__ Pack<T, V> load(const T* p) {
    if constexpr (V * sizeof(T) == 16) {
        union { uint4 bits; Pack<T, V> pack; } u = {*reinterpret_cast<const uint4*>(p)};
        return u.pack;
    } else
        return *reinterpret_cast<const Pack<T, V>*>(p);
}

template <class T, int V> __device__ __forceinline__ void store(T* p, const Pack<T, V>& pack) {
    if constexpr (V * sizeof(T) == 16) {
        union { Pack<T, V> pack; uint4 bits; } u = {pack};
        *reinterpret_cast<uint4*>(p) = u.bits;
    } else
        *reinterpret_cast<Pack<T, V>*>(p) = pack;
}

// Reduces over each group of width neighbouring threads, in an order that never changes; every thread of the group gets the result. The width is a power of two up to 32, or
// the whole block, which is whole warps.
template <class F> __device__ __forceinline__ float reduce(float x, float none, int width, F join) {
    for (int step = (width < 32 ? width : 32) / 2; step > 0; step /= 2)
        x = join(x, __shfl_xor_sync(0xffffffffu, x, step));
    if (width <= 32)
        return x;
    __shared__ float parts[32];
    if (threadIdx.x % 32 == 0)
        parts[threadIdx.x / 32] = x;
    __syncthreads();
    x = threadIdx.x % 32 < width / 32 ? parts[threadIdx.x % 32] : none;
    for (int step = 16; step > 0; step /= 2)
        x = join(x, __shfl_xor_sync(0xffffffffu, x, step));
    __syncthreads(); // parts is used again
    return x;
}

__device__ __forceinline__ float sum_over(float x, int width) { return reduce(x, 0.0f, width, [](float a, float b) { return a + b; }); }
__device__ __forceinline__ float max_over(float x, int width) { return reduce(x, -__int_as_float(0x7f800000), width, [](float a, float b) { return fmaxf(a, b); }); }
