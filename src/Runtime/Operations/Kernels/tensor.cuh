// Products of small matrices of bfloat16 by a warp, and copies to shared memory that threads do not wait for: sm_80 and newer. A thread is g = lane / 4, t = lane % 4.
#pragma once
#include "numbers.cuh"

// c [16, 8] += a [16, 16] · b [16, 8]. A thread holds of c rows g and g + 8 at columns 2 t, 2 t + 1 (c0 c1, c2 c3); of a rows g, g + 8 at columns 2 t, 2 t + 1, then both at 8 more (a0 to a3); of b
// rows 2 t, 2 t + 1 of column g (b0), then those 8 further down (b1). The lower half of a register is the first of two.
__device__ __forceinline__ void multiply(float (&c)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
#if __CUDA_ARCH__ >= 800
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
}

// Of a matrix [8, 8] whose row g a thread holds at columns 2 t, 2 t + 1, the same of its transpose: rows 2 t, 2 t + 1 at column g.
__device__ __forceinline__ unsigned transposed(unsigned rows) {
    unsigned columns;
    asm("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(columns) : "r"(rows));
    return columns;
}

// 16 bytes on their way to shared memory; zeros where none are inside.
__device__ __forceinline__ void copy_later(uint4* shared, const void* source, bool inside) {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" :: "r"((unsigned)__cvta_generic_to_shared(shared)), "l"(source), "r"(inside ? 16 : 0) : "memory");
#endif
}

// What a thread has asked for since the last call is a group; waits until no more than so many of its groups are on their way.
__device__ __forceinline__ void close_group() {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}
template <int N> __device__ __forceinline__ void await_groups() {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_group %0;" :: "n"(N) : "memory");
#endif
}
