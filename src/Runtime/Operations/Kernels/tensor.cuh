// Products of small matrices of bfloat16 by a warp, sm_80 and newer. A thread is g = lane / 4, t = lane % 4.
#pragma once
#include "numbers.cuh"

// c [16, 8] += a [16, 16] · b [16, 8]. A thread holds of c rows g and g + 8 at columns 2 t, 2 t + 1 (c0 c1, c2 c3); of a rows g, g + 8 at columns 2 t, 2 t + 1, then both at 8 more (a0 to a3); of b
// rows 2 t, 2 t + 1 of column g (b0), then those 8 further down (b1). The lower half of a register is the first of two.
__device__ __forceinline__ void multiply(float (&c)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
#if __CUDA_ARCH__ >= 800
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
}

// Of a matrix [8, 8] whose row g a thread holds at columns 2 t, 2 t + 1, the same of its transpose: rows 2 t, 2 t + 1 at column g.
__device__ __forceinline__ unsigned transposed(unsigned rows) {
    unsigned columns;
    asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(columns) : "r"(rows));
    return columns;
}

// Two numbers rounded, the first in the lower half.
__device__ __forceinline__ unsigned both(float low, float high) { return (unsigned)narrow<bf16>(low).bits | (unsigned)narrow<bf16>(high).bits << 16; }
