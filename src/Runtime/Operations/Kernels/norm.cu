// Root-mean-square norm and layer norm over rows of n numbers, of x or of x + delta, forward and backward. All arithmetic is in float32; what is written is rounded once.
// A row belongs to width neighbouring threads (see numbers.cuh), each of which reads all it needs of it at once, up to H packs, and keeps them in registers.
#include "numbers.cuh"

constexpr int kMostThreads = 512; // of a block

// The place of a thread: its row, its number among those of the row, how many packs they share, and how many threads they are.
struct Place {
    long long row;
    int first, packs, width;

    __device__ __forceinline__ Place(long long rows, int packs, int width)
        : row((long long)blockIdx.x * (blockDim.x / width) + threadIdx.x / width), first(threadIdx.x % width), packs(row < rows ? packs : 0), width(width) {}
};

// f(place where it is held, pack's number), for each pack of this thread
template <int H, class F> __device__ __forceinline__ void each(const Place& at, F f) {
#pragma unroll
    for (int j = 0; j < H; j++)
        if (at.first + j * at.width < at.packs)
            f(j, at.first + j * at.width);
}

// A thread's packs of a row, or of none.
template <class T, int V, int H> struct Row {
    Pack<T, V> of[H];

    __device__ __forceinline__ Row(const T* numbers, long long start, const Place& at) {
        if (numbers)
            each<H>(at, [&](int j, int i) { of[j] = load<T, V>(numbers + start + i * V); });
    }
};

template <class T, int V, int H, bool Centered>
__device__ __forceinline__ void forward(const T* x, const T* delta, const T* weight, const T* bias, T* sum, T* y, float* means, float* scales, long long rows, int n, int width, float epsilon) {
    const Place at(rows, n / V, width);
    const long long start = at.row * n;
    Row<T, V, H> h(x, start, at);
    const Row<T, V, H> d(delta, start, at);

    float total = 0, mean = 0;
    each<H>(at, [&](int j, int i) {
        if (delta) {
            for (int v = 0; v < V; v++)
                h.of[j].set(v, h.of[j][v] + d.of[j][v]);
            store<T, V>(sum + start + i * V, h.of[j]);
        }
        for (int v = 0; v < V; v++)
            total += Centered ? h.of[j][v] : h.of[j][v] * h.of[j][v];
    });
    total = sum_over(total, width);
    if (Centered) {
        mean = total / n;
        total = 0;
        each<H>(at, [&](int j, int) {
            for (int v = 0; v < V; v++)
                total += (h.of[j][v] - mean) * (h.of[j][v] - mean);
        });
        total = sum_over(total, width);
    }
    const float scale = rsqrtf(total / n + epsilon);
    each<H>(at, [&](int j, int i) {
        Pack<T, V> slope, shift, out;
        if (weight)
            slope = load<T, V>(weight + i * V);
        if (bias)
            shift = load<T, V>(bias + i * V);
        for (int v = 0; v < V; v++) {
            float z = (h.of[j][v] - mean) * scale;
            z = weight ? z * slope[v] : z;
            out.set(v, bias ? z + shift[v] : z);
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
template <class T, int V, int H, bool Centered>
__device__ __forceinline__ void backward(const T* ofY, const T* ofSum, const T* x, const T* weight, const float* means, const float* scales, T* gradient, long long rows, int n, int width) {
    const Place at(rows, n / V, width);
    const long long start = at.row * n;
    const Row<T, V, H> h(x, start, at), g(ofY, start, at), w(weight, 0, at), s(ofSum, start, at);
    const float scale = at.packs > 0 ? scales[at.row] : 0, mean = Centered && at.packs > 0 ? means[at.row] : 0;
    auto normed = [&](int j, int v) { return (h.of[j][v] - mean) * scale; };
    auto of_normed = [&](int j, int v) { return weight ? g.of[j][v] * w.of[j][v] : g.of[j][v]; };

    float along = 0, total = 0;
    each<H>(at, [&](int j, int) {
        for (int v = 0; v < V; v++) {
            along += of_normed(j, v) * normed(j, v);
            total += of_normed(j, v);
        }
    });
    along = sum_over(along, width) / n;
    total = Centered ? sum_over(total, width) / n : 0;
    each<H>(at, [&](int j, int i) {
        Pack<T, V> out;
        for (int v = 0; v < V; v++) {
            const float of_x = (of_normed(j, v) - total - normed(j, v) * along) * scale;
            out.set(v, ofSum ? of_x + s.of[j][v] : of_x);
        }
        store<T, V>(gradient + start + i * V, out);
    });
}

#define NORM(kind, centered, T, V, H) \
    extern "C" __global__ void __launch_bounds__(kMostThreads, H > 1 ? 1 : 2) kind##_forward_##T##_##V##_##H( \
        const T* x, const T* delta, const T* weight, const T* bias, T* sum, T* y, float* means, float* scales, long long rows, int n, int width, float epsilon) { \
        forward<T, V, H, centered>(x, delta, weight, bias, sum, y, means, scales, rows, n, width, epsilon); \
    } \
    extern "C" __global__ void __launch_bounds__(kMostThreads, H > 1 ? 1 : 2) kind##_backward_##T##_##V##_##H( \
        const T* ofY, const T* ofSum, const T* x, const T* weight, const float* means, const float* scales, T* gradient, long long rows, int n, int width) { \
        backward<T, V, H, centered>(ofY, ofSum, x, weight, means, scales, gradient, rows, n, width); \
    }

#define NORMS(T, V, H) NORM(rms, false, T, V, H) NORM(layer, true, T, V, H)

NORMS(bf16, 8, 1)
NORMS(bf16, 8, 4)
NORMS(bf16, 1, 4)
NORMS(float, 4, 1)
NORMS(float, 4, 4)
NORMS(float, 1, 4)
