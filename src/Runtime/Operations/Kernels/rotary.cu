// Rotary positions of the queries and keys in a fused projection: a block is one token, whose heads lie behind one another, queries, keys and values. Forward reads them side by side and writes
// the three apart, the values as they are; the backward reads the three and turns the other way. The pairs of a head are (i, i + width / 2), and both halves of the table's rows are the same.
#include "numbers.cuh"

template <class T, int V>
__device__ __forceinline__ void turn(T* fused, const T* cosines, const T* sines, T* q, T* k, T* v, int length, int queries, int keys, int width, int tableRows, int back) {
    const int half = width / 2, packs = half / V, turned = queries + keys, heads = turned + keys;
    const float way = back ? -1.0f : 1.0f;
    const long long token = blockIdx.x, place = tableRows > 1 ? token : token % length;
    for (int i = threadIdx.x; i < heads * packs; i += blockDim.x) {
        const int head = i / packs, j = i % packs * V, count = head < queries ? queries : keys, own = head < queries ? head : head < turned ? head - queries : head - turned;
        T* together = fused + (token * heads + head) * width + j;
        T* apart = (head < queries ? q : head < turned ? k : v) + (token * count + own) * width + j;
        const T* from = back ? apart : together;
        T* to = back ? together : apart;
        Pack<T, V> low = load<T, V>(from), high = load<T, V>(from + half);
        if (head < turned) {
            const Pack<T, V> c = load<T, V>(cosines + place * width + j), s = load<T, V>(sines + place * width + j);
            for (int n = 0; n < V; n++) {
                const float a = low[n], b = high[n];
                low.set(n, a * c[n] - b * s[n] * way);
                high.set(n, b * c[n] + a * s[n] * way);
            }
        }
        store<T, V>(to, low);
        store<T, V>(to + half, high);
    }
}

#define TURN(T, V) \
    extern "C" __global__ void __launch_bounds__(256) rotary_##T##_##V(T* fused, const T* cosines, const T* sines, T* q, T* k, T* v, int length, int queries, int keys, int width, int tableRows, int back) { \
        turn<T, V>(fused, cosines, sines, q, k, v, length, queries, keys, width, tableRows, back); \
    }

TURN(bf16, 8)
TURN(bf16, 1)
TURN(float, 4)
TURN(float, 1)
