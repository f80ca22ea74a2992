// A bare loop of fused multiply-adds in registers: what one core can do when nothing else limits it.

#include <cstdint>

#if defined(__AVX512F__)
#define FMA_BYTES 64
#define FMA_SUMS 24
#elif defined(__AVX__)
#define FMA_BYTES 32
#define FMA_SUMS 12
#else
#define FMA_BYTES 16
#define FMA_SUMS 12
#endif

typedef float Vector __attribute__((vector_size(FMA_BYTES)));

// Returns the number of operations done.
extern "C" int64_t fma_f32(int64_t rounds) {
    Vector sums[FMA_SUMS] = {}, unknown[2] = {};
    unknown[0] += 0.999f;
    unknown[1] += 0.001f;
    asm volatile("" : "+m"(unknown));  // the compiler must not know them
    const Vector factor = unknown[0], term = unknown[1];
    for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 24
        for (int i = 0; i < FMA_SUMS; ++i) sums[i] = sums[i] * factor + term;
    }
    for (int i = 0; i < FMA_SUMS; ++i) asm volatile("" ::"m"(sums[i]));
    return rounds * FMA_SUMS * 2 * int64_t(sizeof(Vector) / sizeof(float));
}
