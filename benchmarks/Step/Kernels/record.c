/* Every kernel that a CUDA program runs, those of replayed graphs too, as a line each: start and end in nanoseconds, registers a thread, name. CUDA loads it where it is asked to:
 *
 *   gcc -shared -fPIC -O1 -o record.so record.c -ldl -lpthread
 *   KERNELS=/tmp/kernels.tsv CUDA_INJECTION64_PATH=$PWD/record.so LD_LIBRARY_PATH=<the folder of libcupti.so> <program>
 *   python3 kernels.py /tmp/kernels.tsv
 *
 * It needs CUPTI (cupti_activity.h says the layout of a record, whose beginning is read here), and none of its headers.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MEMSET = 2, CONCURRENT_KERNEL = 10, START = 16, END = 24, REGISTERS = 6, NAME = 104, BUFFER = 8 << 20 };

static int (*next_record)(uint8_t *buffer, size_t bytes, void **record);
static int (*flush)(uint32_t forced);
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static FILE *lines;

static void give(uint8_t **buffer, size_t *size, size_t *records) {
    *size = BUFFER;
    *records = 0;
    if (posix_memalign((void **)buffer, 8, BUFFER))
        *buffer = NULL;
}

static void take(void *context, uint32_t stream, uint8_t *buffer, size_t size, size_t filled) {
    (void)context, (void)stream, (void)size;
    pthread_mutex_lock(&one_at_a_time);
    void *at = NULL;
    while (filled && next_record(buffer, filled, &at) == 0) {
        const uint8_t *record = at;
        const uint32_t kind = *(const uint32_t *)record;
        if (kind != CONCURRENT_KERNEL && kind != MEMSET)
            continue;
        fprintf(lines, "%llu\t%llu\t%u\t%s\n", (unsigned long long)*(const uint64_t *)(record + START), (unsigned long long)*(const uint64_t *)(record + END),
                kind == MEMSET ? 0 : *(const uint16_t *)(record + REGISTERS), kind == MEMSET ? "memset" : *(const char *const *)(record + NAME));
    }
    pthread_mutex_unlock(&one_at_a_time);
    free(buffer);
}

static void finish(void) {
    flush(1);
    fflush(lines);
}

static void *keep_flushing(void *nothing) {
    for (;;) {
        usleep(500000);
        flush(0);
    }
    return nothing;
}

int InitializeInjection(void) {
    void *cupti = dlopen("libcupti.so.13", RTLD_NOW);
    if (!cupti)
        cupti = dlopen("libcupti.so", RTLD_NOW);
    if (!cupti) {
        fprintf(stderr, "no kernels are recorded: %s\n", dlerror());
        return 1;
    }
    int (*enable)(int) = (int (*)(int))dlsym(cupti, "cuptiActivityEnable");
    int (*answer)(void (*)(uint8_t **, size_t *, size_t *), void (*)(void *, uint32_t, uint8_t *, size_t, size_t)) =
        (int (*)(void (*)(uint8_t **, size_t *, size_t *), void (*)(void *, uint32_t, uint8_t *, size_t, size_t)))dlsym(cupti, "cuptiActivityRegisterCallbacks");
    next_record = (int (*)(uint8_t *, size_t, void **))dlsym(cupti, "cuptiActivityGetNextRecord");
    flush = (int (*)(uint32_t))dlsym(cupti, "cuptiActivityFlushAll");
    lines = fopen(getenv("KERNELS") ? getenv("KERNELS") : "kernels.tsv", "w");
    if (!lines || answer(give, take) || enable(CONCURRENT_KERNEL) || enable(MEMSET)) {
        fprintf(stderr, "no kernels are recorded: CUPTI refused\n");
        return 1;
    }
    atexit(finish);
    pthread_t thread;
    pthread_create(&thread, NULL, keep_flushing, NULL);
    return 1;
}
