// Products of small matrices of bfloat16 by a warp: m16n8k16 of mma.sync, sm_80 and newer. A thread is g = lane / 4, t = lane % 4.
#pragma once
#include "numbers.cuh"

// c [16, 8] += a [16, 16] · b [16, 8]. A thread holds of c rows g and g + 8 at columns 2 t, 2 t + 1 (c0 c1, c2 c3); of a rows g, g + 8 at columns 2 t, 2 t + 1, then both at 8 more (a0 to a3); of b
// rows 2 t, 2 t + 1 of column g (b0), then those 8 further down (b1).
__device__ __forceinline__ void multiply(float (&c)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
#if __CUDA_ARCH__ >= 800
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
}

__device__ __forceinline__ unsigned shared_address(const void* p) {
    unsigned address;
    asm("{ .reg .u64 wide; cvta.to.shared.u64 wide, %1; cvt.u32.u64 %0, wide; }" : "=r"(address) : "l"(p));
    return address;
}

// Four matrices [8, 8] of shared memory, whose rows are 16 bytes each: lanes 8 i to 8 i + 7 name the rows of the i-th. A thread gets columns 2 t, 2 t + 1 of row g of each.
__device__ __forceinline__ void fetch(unsigned (&r)[4], const bf16* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(shared_address(row)) : "memory");
}

// The same of their transposes: rows 2 t, 2 t + 1 of column g.
__device__ __forceinline__ void fetch_transposed(unsigned (&r)[4], const bf16* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(shared_address(row)) : "memory");
}

__device__ __forceinline__ unsigned both(float low, float high) { return (unsigned)narrow<bf16>(low).bits | (unsigned)narrow<bf16>(high).bits << 16; }

// 0 far below zero.
__device__ __forceinline__ float power_of_two(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}
