// Root-mean-square norm and layer norm over rows of n numbers, of x or of x + delta, forward and backward. All arithmetic is in float32; what is written is rounded once.
// A row belongs to width neighbouring threads (see numbers.cuh), each of which holds its first pack in registers and reads those beyond again.
#include "numbers.cuh"

// The place of a thread: its row, its number among those of the row, and how many packs they share.
struct Place {
    long long row;
    int first, packs;

    __device__ __forceinline__ Place(long long rows, int packs, int width)
        : row((long long)blockIdx.x * (blockDim.x / width) + threadIdx.x / width), first(threadIdx.x % width), packs(row < rows ? packs : 0) {}
};

// f(pack's number, whether it is the one in registers), for each pack of this thread
template <class F> __device__ __forceinline__ void each(const Place& at, int width, F f) {
    if (at.first < at.packs)
        f(at.first, true);
    for (int i = at.first + width; i < at.packs; i += width)
        f(i, false);
}

template <class T, int V, bool Centered>
__device__ __forceinline__ void forward(const T* x, const T* delta, const T* weight, const T* bias, T* sum, T* y, float* means, float* scales, long long rows, int n, int width, float epsilon) {
    const Place at(rows, n / V, width);
    const long long start = at.row * n;
    const T* source = delta ? sum : x;
    Pack<T, V> held;

    float total = 0, mean = 0;
    each(at, width, [&](int i, bool isHeld) {
        Pack<T, V> h = load<T, V>(x + start + i * V);
        if (delta) {
            const Pack<T, V> d = load<T, V>(delta + start + i * V);
            for (int v = 0; v < V; v++)
                h.set(v, h[v] + d[v]);
            store<T, V>(sum + start + i * V, h);
        }
        for (int v = 0; v < V; v++)
            total += Centered ? h[v] : h[v] * h[v];
        if (isHeld)
            held = h;
    });
    auto numbers = [&](int i, bool isHeld) { return isHeld ? held : load<T, V>(source + start + i * V); };
    total = sum_over(total, width);
    if (Centered) {
        mean = total / n;
        total = 0;
        each(at, width, [&](int i, bool isHeld) {
            const Pack<T, V> h = numbers(i, isHeld);
            for (int v = 0; v < V; v++)
                total += (h[v] - mean) * (h[v] - mean);
        });
        total = sum_over(total, width);
    }
    const float scale = rsqrtf(total / n + epsilon);
    each(at, width, [&](int i, bool isHeld) {
        const Pack<T, V> h = numbers(i, isHeld);
        Pack<T, V> w, b, out;
        if (weight)
            w = load<T, V>(weight + i * V);
        if (bias)
            b = load<T, V>(bias + i * V);
        for (int v = 0; v < V; v++) {
            float z = (h[v] - mean) * scale;
            z = weight ? z * w[v] : z;
            out.set(v, bias ? z + b[v] : z);
        }
        store<T, V>(y + start + i * V, out);
    });
    if (scales && at.first == 0 && at.packs > 0) {
        scales[at.row] = scale;
        if (Centered)
            means[at.row] = mean;
    }
}

// The gradient of x (and of delta: the same) from those of y and, where the sum is used too, of the sum.
template <class T, int V, bool Centered>
__device__ __forceinline__ void backward(const T* ofY, const T* ofSum, const T* x, const T* weight, const float* means, const float* scales, T* gradient, long long rows, int n, int width) {
    const Place at(rows, n / V, width);
    const long long start = at.row * n;
    const float scale = at.packs > 0 ? scales[at.row] : 0, mean = Centered && at.packs > 0 ? means[at.row] : 0;
    Pack<T, V> heldX, heldY;

    float along = 0, total = 0;
    each(at, width, [&](int i, bool isHeld) {
        const Pack<T, V> h = load<T, V>(x + start + i * V), g = load<T, V>(ofY + start + i * V);
        Pack<T, V> w;
        if (weight)
            w = load<T, V>(weight + i * V);
        for (int v = 0; v < V; v++) {
            const float a = weight ? g[v] * w[v] : g[v];
            along += a * ((h[v] - mean) * scale);
            total += a;
        }
        if (isHeld) {
            heldX = h;
            heldY = g;
        }
    });
    along = sum_over(along, width) / n;
    total = Centered ? sum_over(total, width) / n : 0;
    each(at, width, [&](int i, bool isHeld) {
        const Pack<T, V> h = isHeld ? heldX : load<T, V>(x + start + i * V), g = isHeld ? heldY : load<T, V>(ofY + start + i * V);
        Pack<T, V> w, s, out;
        if (weight)
            w = load<T, V>(weight + i * V);
        if (ofSum)
            s = load<T, V>(ofSum + start + i * V);
        for (int v = 0; v < V; v++) {
            const float a = weight ? g[v] * w[v] : g[v];
            const float b = (a - total - (h[v] - mean) * scale * along) * scale;
            out.set(v, ofSum ? b + s[v] : b);
        }
        store<T, V>(gradient + start + i * V, out);
    });
}

#define NORM(kind, centered, T, V) \
    extern "C" __global__ void __launch_bounds__(1024) kind##_forward_##T##_##V( \
        const T* x, const T* delta, const T* weight, const T* bias, T* sum, T* y, float* means, float* scales, long long rows, int n, int width, float epsilon) { \
        forward<T, V, centered>(x, delta, weight, bias, sum, y, means, scales, rows, n, width, epsilon); \
    } \
    extern "C" __global__ void __launch_bounds__(1024) kind##_backward_##T##_##V( \
        const T* ofY, const T* ofSum, const T* x, const T* weight, const float* means, const float* scales, T* gradient, long long rows, int n, int width) { \
        backward<T, V, centered>(ofY, ofSum, x, weight, means, scales, gradient, rows, n, width); \
    }

#define NORMS(T, V) NORM(rms, false, T, V) NORM(layer, true, T, V)

NORMS(bf16, 8)
NORMS(bf16, 1)
NORMS(float, 4)
NORMS(float, 1)
