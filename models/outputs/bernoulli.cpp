// The log-likelihood of independent notes and its slope in the logits, in one pass. No torch, no threads.
//
//     ll_n = sum over i of v_i z_i - log(1 + e^{z_i}),        d ll_n / d z_i = v_i - sigmoid(z_i)
//
// With e = e^{-|z|} in (0, 1] nothing overflows: log(1 + e^z) = max(z, 0) + log1p(e), and log1p(e) = 2 artanh(s) by
// its series, s = e / (2 + e) <= 1/3. Rows never meet: each is the same bits in any company. NaN and infinity are passed
// on. All arrays are dense: z, v, slope (N, D), ll (N).

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace {

using Index = std::ptrdiff_t;

constexpr Index BYTES = 64;  // of a vector; compilers split it where the processor's are shorter

template <class T> struct Lanes;
template <> struct Lanes<float> {
    typedef float V __attribute__((vector_size(BYTES)));
    typedef int32_t Bits __attribute__((vector_size(BYTES)));
    static constexpr float round = 12582912.0f, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f, least = -87.0f;
    static constexpr int shift = 23, terms = 7, odd_terms = 8;
    static constexpr int32_t one = 127 << 23;
};
template <> struct Lanes<double> {
    typedef double V __attribute__((vector_size(BYTES)));
    typedef int64_t Bits __attribute__((vector_size(BYTES)));
    static constexpr double round = 6755399441055744.0, ln2_high = 6.93147180369123816490e-01;
    static constexpr double ln2_low = 1.90821492927058770002e-10, least = -708.0;
    static constexpr int shift = 52, terms = 13, odd_terms = 17;
    static constexpr int64_t one = int64_t(1023) << 52;
};

// e^x for x <= 0: a power of two times a Taylor series on |r| <= ln2 / 2; 0 below `least`; NaN stays NaN.
template <class T> inline typename Lanes<T>::V exponential(typename Lanes<T>::V x) {
    using C = Lanes<T>;
    using V = typename C::V;
    static constexpr double factorial[] = {1.,       1. / 2,     1. / 6,       1. / 24,       1. / 120,       1. / 720,
                                           1. / 5040, 1. / 40320, 1. / 362880, 1. / 3628800, 1. / 39916800,
                                           1. / 479001600, 1. / 6227020800.};
    const typename C::Bits gone = x < C::least;
    x = gone ? V{} : x;
    const V shifted = x * T(1.44269504088896340736) + C::round, n = shifted - C::round;
    const V r = (x - n * C::ln2_high) - n * C::ln2_low;
    V p = V{} + T(factorial[C::terms - 1]);
    for (int i = C::terms - 2; i >= 0; --i) p = p * r + T(factorial[i]);
    typename C::Bits bits;
    std::memcpy(&bits, &shifted, sizeof bits);
    bits = (bits << C::shift) + C::one;
    V scale;
    std::memcpy(&scale, &bits, sizeof scale);
    return gone ? V{} : scale * (p * r + T(1));
}

template <class T> inline typename Lanes<T>::V log_one_plus(typename Lanes<T>::V e) {
    using V = typename Lanes<T>::V;
    const V s = e / (e + T(2)), square = s * s;
    V p = V{} + T(1.0 / (2 * Lanes<T>::odd_terms - 1));
    for (int i = Lanes<T>::odd_terms - 2; i >= 0; --i) p = p * square + T(1.0 / (2 * i + 1));
    return (s + s) * p;
}

// Values of some lanes, and their slopes.
template <class T>
inline typename Lanes<T>::V notes(typename Lanes<T>::V z, typename Lanes<T>::V v, typename Lanes<T>::V& slope) {
    using V = typename Lanes<T>::V;
    const V zero = {};
    const V e = exponential<T>(z < zero ? z : zero - z);
    slope = v - (z < zero ? e : zero + T(1)) / (e + T(1));
    return v * z - ((z > zero ? z : zero) + log_one_plus<T>(e));
}

// A vector's worth of a row: its slopes are stored, and what its lanes that are `fresh` add to the row's sum is given.
template <class T>
inline typename Lanes<T>::V columns(const T* z, const T* v, T* slope, typename Lanes<T>::Bits fresh) {
    using V = typename Lanes<T>::V;
    V logits, data, slopes;
    std::memcpy(&logits, z, BYTES);
    std::memcpy(&data, v, BYTES);
    const V values = notes<T>(logits, data, slopes);
    std::memcpy(slope, &slopes, BYTES);
    return fresh ? values : V{};
}

template <class T> void rows(const T* z, const T* v, T* slope, T* ll, Index N, Index D) {
    using V = typename Lanes<T>::V;
    using Bits = typename Lanes<T>::Bits;
    constexpr Index L = BYTES / Index(sizeof(T));
    const Index whole = D / L * L;
    T padded[3][L] = {};  // for rows that are shorter than a vector
    // The last vector of a row overlaps the one before it; its lanes that were there already count for nothing.
    Bits all = {}, last = {};
    all -= 1;
    for (Index lane = 0; lane < L; ++lane) last[lane] = D < L ? -(lane < D) : -(lane >= L - (D - whole));
    for (Index n = 0; n < N; ++n, z += D, v += D, slope += D) {
        V sum = {};
        for (Index i = 0; i < whole; i += L) sum += columns<T>(z + i, v + i, slope + i, all);
        if (D < L) {
            std::memcpy(padded[0], z, std::size_t(D) * sizeof(T));
            std::memcpy(padded[1], v, std::size_t(D) * sizeof(T));
            sum = columns<T>(padded[0], padded[1], padded[2], last);
            std::memcpy(slope, padded[2], std::size_t(D) * sizeof(T));
        } else if (whole < D) {
            sum += columns<T>(z + D - L, v + D - L, slope + D - L, last);
        }
        T total = 0;
        for (Index lane = 0; lane < L; ++lane) total += sum[lane];
        ll[n] = total;
    }
}

}  // namespace

#define EXPORTED(T, NAME) \
    extern "C" int bernoulli_##NAME(const T* z, const T* v, T* slope, T* ll, int64_t N, int64_t D) { \
        rows<T>(z, v, slope, ll, N, D); \
        return 0; \
    }
EXPORTED(float, f32)
EXPORTED(double, f64)
