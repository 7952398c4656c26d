// Rotary positions of the queries and keys in a fused projection: a block is one token, whose heads lie behind one another, those that are turned first. The pairs of a head are
// (i, i + width / 2), and both halves of the table's rows are the same. The backward turns the other way.
#include "numbers.cuh"

template <class T, int V>
__device__ __forceinline__ void turn(const T* x, const T* cosines, const T* sines, T* y, int length, int turned, int heads, int width, int tableRows, float way) {
    const int half = width / 2, packs = half / V;
    const long long token = blockIdx.x, place = tableRows > 1 ? token : token % length;
    for (int i = threadIdx.x; i < heads * packs; i += blockDim.x) {
        const int head = i / packs, j = i % packs * V;
        const long long at = (token * heads + head) * width + j;
        Pack<T, V> low = load<T, V>(x + at), high = load<T, V>(x + at + half);
        if (head < turned) {
            const Pack<T, V> c = load<T, V>(cosines + place * width + j), s = load<T, V>(sines + place * width + j);
            for (int v = 0; v < V; v++) {
                const float a = low[v], b = high[v];
                low.set(v, a * c[v] - b * s[v] * way);
                high.set(v, b * c[v] + a * s[v] * way);
            }
        }
        store<T, V>(y + at, low);
        store<T, V>(y + at + half, high);
    }
}

#define TURN(T, V) \
    extern "C" __global__ void __launch_bounds__(256) rotary_##T##_##V(const T* x, const T* cosines, const T* sines, T* y, int length, int turned, int heads, int width, int tableRows, float way) { \
        turn<T, V>(x, cosines, sines, y, length, turned, heads, width, tableRows, way); \
    }

TURN(bf16, 8)
TURN(bf16, 1)
TURN(float, 4)
TURN(float, 1)
