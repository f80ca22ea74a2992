// Vectors of any number of lanes, and the non-linearities of the scan on them, with their slopes. No torch, no threads.
#ifndef COUNTERPOINT_ACTIVATIONS
#define COUNTERPOINT_ACTIVATIONS

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace activations {
namespace {

using Index = std::ptrdiff_t;

#ifndef VECTOR_BYTES  // of a vector
#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif
#endif

enum Activation { TANH = 0, SIGMOID = 1, RELU = 2 };

template <class T, Index L> struct Lanes;
#define LANES(T, I, L) \
    template <> struct Lanes<T, L> { \
        typedef T V __attribute__((vector_size(L * sizeof(T)))); \
        typedef I Bits __attribute__((vector_size(L * sizeof(T)))); \
    };
LANES(float, int32_t, 1) LANES(float, int32_t, 2) LANES(float, int32_t, 4) LANES(float, int32_t, 8)
LANES(float, int32_t, 16)
LANES(double, int64_t, 1) LANES(double, int64_t, 2) LANES(double, int64_t, 4) LANES(double, int64_t, 8)
#undef LANES

template <class V, class T> inline V load(const T* from) {
    V v;
    std::memcpy(&v, from, sizeof v);
    return v;
}

template <class V, class T> inline void store(T* to, V v) { std::memcpy(to, &v, sizeof v); }

// A step's rows are far apart in memory, and no processor guesses them. A wrong address does no harm.
inline void fetch(const void* address) { __builtin_prefetch(address); }

// ---- phi and its slope -------------------------------------------------------------------------------------------

template <class T> struct Constants;
template <> struct Constants<float> {
    static constexpr float round = 12582912.0f, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f, most = 88.0f;
    static constexpr float saturated = 20.0f;
    static constexpr int shift = 23, terms = 7;
    static constexpr int32_t one = 127 << 23;
};
template <> struct Constants<double> {
    static constexpr double round = 6755399441055744.0, ln2_high = 6.93147180369123816490e-01;
    static constexpr double ln2_low = 1.90821492927058770002e-10, most = 709.0, saturated = 40.0;
    static constexpr int shift = 52, terms = 13;
    static constexpr int64_t one = int64_t(1023) << 52;
};

// e^x = scale (1 + part): scale a power of two, part by its Taylor series on |r| <= ln2 / 2. NaN stays NaN in part.
template <class T, Index L, class V = typename Lanes<T, L>::V> inline void exponential(V x, V& scale, V& part) {
    using C = Constants<T>;
    using Bits = typename Lanes<T, L>::Bits;
    const V shifted = x * T(1.44269504088896340736) + C::round;
    const V n = shifted - C::round;
    const V r = (x - n * C::ln2_high) - n * C::ln2_low;
    static constexpr double factorial[] = {1.,       1. / 2,     1. / 6,       1. / 24,       1. / 120,       1. / 720,
                                           1. / 5040, 1. / 40320, 1. / 362880, 1. / 3628800, 1. / 39916800,
                                           1. / 479001600, 1. / 6227020800.};
    V p = V{} + T(factorial[C::terms - 1]);
    for (int i = C::terms - 2; i >= 1; --i) p = p * r + T(factorial[i]);
    part = (r * r) * p + r;
    Bits bits;
    std::memcpy(&bits, &shifted, sizeof bits);
    bits = (bits << C::shift) + C::one;
    std::memcpy(&scale, &bits, sizeof scale);
}

template <class T, Index L, class V = typename Lanes<T, L>::V> inline V activate(V x, int activation) {
    using C = Constants<T>;
    const V zero = {};
    V scale, part;
    if (activation == RELU) return x < zero ? zero : x;
    if (activation == SIGMOID) {  // 1 / (1 + e^-x); comparisons keep NaN
        V y = zero - x;
        y = y > C::most ? zero + C::most : y;
        y = y < -C::most ? zero - C::most : y;
        exponential<T, L>(y, scale, part);
        return T(1) / (scale * part + (scale + T(1)));
    }
    // tanh x = (e^2x - 1) / (e^2x + 1)
    V y = x + x;
    y = y > C::saturated ? zero + C::saturated : y;
    y = y < -C::saturated ? zero - C::saturated : y;
    exponential<T, L>(y, scale, part);
    const V less = scale * part + (scale - T(1));
    return less / (less + T(2));
}

template <class T, Index L, class V = typename Lanes<T, L>::V> inline V slope(V phi, int activation) {
    const V zero = {}, one = zero + T(1);
    if (activation == RELU) return phi > zero ? one : zero;
    if (activation == SIGMOID) return phi - phi * phi;
    return one - phi * phi;
}

}  // namespace
}  // namespace activations

#endif
