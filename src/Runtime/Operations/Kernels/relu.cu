// The gradient through max(0, ·): 0 where a mask has no bit. Numbers come by eight, whose bits are one byte of the mask, the lowest first; a row of the mask may be longer than one of numbers.
#include "numbers.cuh"

extern "C" __global__ void __launch_bounds__(256) close_rectified(bf16* gradient, const unsigned char* mask, long rows, long width, long mask_row) {
    const long packs = width / 8;
    for (long i = (long)blockIdx.x * blockDim.x + threadIdx.x; i < rows * packs; i += (long)gridDim.x * blockDim.x) {
        const unsigned open = mask[i / packs * mask_row + i % packs];
        if (open == 255)
            continue;
        Pack<bf16, 8> numbers = {};
        if (open != 0) {
            numbers = load<bf16, 8>(gradient + i * 8);
            for (int n = 0; n < 8; n++)
                if ((open >> n & 1) == 0)
                    numbers.of[n].bits = 0;
        }
        store<bf16, 8>(gradient + i * 8, numbers);
    }
}
