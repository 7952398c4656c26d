// What tensor.cuh does with instructions of a GPU, by the tables of their operands in NVIDIA's PTX ISA ("Matrix multiply-accumulate operation using mma instruction", m16n8k16; movmatrix).
#pragma once
#include "numbers.cuh"

namespace emulated {
inline unsigned half(unsigned pair, int which) { return which ? pair >> 16 : pair & 0xffff; }
inline double number(unsigned bits) { return widen(bf16{(unsigned short)bits}); }
} // namespace emulated

inline void multiply(float (&c)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
    struct Operands { unsigned a[4], b[2]; } mine = {{a[0], a[1], a[2], a[3]}, {b0, b1}};
    const Operands* warp = static_cast<const Operands*>(emulated::meet(&mine, sizeof mine));
    const int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
    for (int i = 0; i < 4; i++) {
        const int row = g + i / 2 * 8, column = 2 * t + i % 2;
        double sum = c[i];
        for (int k = 0; k < 16; k++)
            sum += emulated::number(emulated::half(warp[row % 8 * 4 + k % 8 / 2].a[row / 8 + k / 8 * 2], k % 2)) * emulated::number(emulated::half(warp[column * 4 + k % 8 / 2].b[k / 8], k % 2));
        c[i] = (float)sum;
    }
}

inline unsigned transposed(unsigned rows) {
    const unsigned* warp = static_cast<const unsigned*>(emulated::meet(&rows, sizeof rows));
    const int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
    return emulated::half(warp[2 * t * 4 + g / 2], g % 2) | emulated::half(warp[(2 * t + 1) * 4 + g / 2], g % 2) << 16;
}

inline void copy_later(uint4* shared, const void* source, bool inside) { inside ? (void)memcpy(shared, source, sizeof *shared) : (void)memset(shared, 0, sizeof *shared); }
inline void close_group() {}
template <int N> inline void await_groups() {}
