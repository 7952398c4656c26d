// Cross-entropy of rows of n logits, a block a row: the loss of each row, and in the place of its logits the gradient of the summed loss divided by a count. A row whose target
// is negative has neither. The row's first packs stay in shared memory between the two passes.
#include "numbers.cuh"

// use(pack's number, what fetch has for it), for each pack of this thread; loads of a batch are on their way together
template <class T, int V, class Fetch, class Use> __device__ __forceinline__ void sweep(int packs, Fetch fetch, Use use) {
    constexpr int Batch = 4;
    for (int i = threadIdx.x; i < packs; i += Batch * blockDim.x) {
        Pack<T, V> batch[Batch];
#pragma unroll
        for (int k = 0; k < Batch; k++)
            if (i + k * (int)blockDim.x < packs)
                batch[k] = fetch(i + k * (int)blockDim.x);
#pragma unroll
        for (int k = 0; k < Batch; k++)
            if (i + k * (int)blockDim.x < packs)
                use(i + k * (int)blockDim.x, batch[k]);
    }
}

template <class T> __device__ __forceinline__ void cross_entropy(T* logits, const long long* targets, const float* count, float* losses, int n, int held, int write) {
    constexpr int V = 16 / sizeof(T);
    extern __shared__ uint4 kept[];
    T* row = logits + (long long)blockIdx.x * n;
    const long long target = targets[blockIdx.x];

    // numbers before the first multiple of 16 bytes and behind the last go one by one: edge numbers of them, one a thread
    const int misplaced = (int)((unsigned long long)row % 16 / sizeof(T)), before = misplaced == 0 ? 0 : V - misplaced, lead = before < n ? before : n;
    const int packs = (n - lead) / V, edges = n - packs * V;
    const bool edge = threadIdx.x < edges;
    T* own = row + (edge ? threadIdx.x < lead ? threadIdx.x : packs * V + threadIdx.x : 0);
    T* body = row + lead;

    if (target < 0) {
        if (threadIdx.x == 0)
            losses[blockIdx.x] = 0;
        if (write) {
            Pack<T, V> none;
            for (int v = 0; v < V; v++)
                none.set(v, 0);
            for (int i = threadIdx.x; i < packs; i += blockDim.x)
                store<T, V>(body + i * V, none);
            if (edge)
                *own = narrow<T>(0);
        }
        return;
    }

    auto shared = [&](int i) -> Pack<T, V>& { return reinterpret_cast<Pack<T, V>*>(kept)[i]; };

    const float nothing = -__int_as_float(0x7f800000);
    float largest = edge ? widen(*own) : nothing, sum = edge ? 1 : 0;
    sweep<T, V>(packs, [&](int i) { return load<T, V>(body + i * V); }, [&](int i, const Pack<T, V>& pack) {
        if (i < held)
            shared(i) = pack;
        float top = pack[0];
        for (int v = 1; v < V; v++)
            top = fmaxf(top, pack[v]);
        if (top > largest) {
            sum *= __expf(largest - top);
            largest = top;
        }
        for (int v = 0; v < V; v++)
            sum += __expf(pack[v] - largest);
    });
    const float own_logit = edge ? widen(*own) : 0;
    const float truth = target < n ? widen(row[target]) : __int_as_float(0x7fffffff); // no such token: not a number
    const float top = max_over(largest, blockDim.x);
    sum = sum_over(largest == nothing ? 0 : sum * __expf(largest - top), blockDim.x); // nobody writes before everybody has read
    if (threadIdx.x == 0)
        losses[blockIdx.x] = top + logf(sum) - truth;
    if (!write)
        return;

    const float share = 1 / *count, scale = share / sum;
    sweep<T, V>(packs, [&](int i) { return i < held ? shared(i) : load<T, V>(body + i * V); }, [&](int i, Pack<T, V>& pack) {
        for (int v = 0; v < V; v++)
            pack.set(v, __expf(pack[v] - top) * scale);
        store<T, V>(body + i * V, pack);
    });
    if (edge)
        *own = narrow<T>(__expf(own_logit - top) * scale);
    __syncthreads();
    if (threadIdx.x == 0 && target < n)
        row[target] = narrow<T>(__expf(truth - top) * scale - share);
}

#define CROSS_ENTROPY(T) \
    extern "C" __global__ void __launch_bounds__(1024) cross_entropy_##T(T* logits, const long long* targets, const float* count, float* losses, int n, int held, int write) { \
        cross_entropy<T>(logits, targets, count, losses, n, held, write); \
    }

CROSS_ENTROPY(bf16)
CROSS_ENTROPY(float)
