// Vectors as wide as the processor's, and the sigmoid and softplus of NADE's frames on them. No torch, no threads.
#ifndef COUNTERPOINT_FRAMES
#define COUNTERPOINT_FRAMES

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace frames {
namespace {

using Index = std::ptrdiff_t;

#if defined(__AVX512F__)
constexpr Index BYTES = 64;  // of a vector
#elif defined(__AVX__)
constexpr Index BYTES = 32;
#else
constexpr Index BYTES = 16;
#endif
template <class T> struct Of;
template <> struct Of<float> {
    typedef float V __attribute__((vector_size(BYTES)));
    typedef int32_t Bits __attribute__((vector_size(BYTES)));
    static constexpr float round = 12582912.0f, high = 0.693359375f, low = -2.12194440e-4f, most = 87.0f;
    static constexpr int shift = 23, terms = 7, odd = 8;
    static constexpr int32_t one = 127 << 23;
};
template <> struct Of<double> {
    typedef double V __attribute__((vector_size(BYTES)));
    typedef int64_t Bits __attribute__((vector_size(BYTES)));
    static constexpr double round = 6755399441055744.0, high = 6.93147180369123816490e-01;
    static constexpr double low = 1.90821492927058770002e-10, most = 708.0;
    static constexpr int shift = 52, terms = 13, odd = 17;
    static constexpr int64_t one = int64_t(1023) << 52;
};
template <class T> using Vec = typename Of<T>::V;
template <class T> constexpr Index lanes() { return BYTES / Index(sizeof(T)); }
template <class T> constexpr Index padded(Index size) { return (size + lanes<T>() - 1) / lanes<T>() * lanes<T>(); }

template <class T> inline Vec<T> load(const T* from) {
    Vec<T> v;
    std::memcpy(&v, from, sizeof v);
    return v;
}
template <class T> inline void store(T* to, Vec<T> v) { std::memcpy(to, &v, sizeof v); }

// `count` numbers, of which there may be more or fewer than a vector has; zeros behind them.
template <class T> inline Vec<T> load(const T* from, Index count) {
    if (count >= lanes<T>()) return load<T>(from);
    Vec<T> v = {};
    if (count > 0) std::memcpy(&v, from, std::size_t(count) * sizeof(T));
    return v;
}
template <class T> inline void store(T* to, Vec<T> v, Index count) {
    if (count > 0) std::memcpy(to, &v, std::size_t(std::min(count, lanes<T>())) * sizeof(T));
}

// e^-|x|, 0 where it is less than 1e-37; NaN stays NaN. A power of two times its Taylor series on |r| <= ln2 / 2.
template <class T> inline Vec<T> decay(Vec<T> x) {
    using C = Of<T>;
    const Vec<T> zero = {};
    Vec<T> y = x > zero ? zero - x : x;
    const auto gone = y < zero - C::most;
    y = gone ? zero - C::most : y;
    const Vec<T> shifted = y * T(1.44269504088896340736) + C::round, n = shifted - C::round;
    const Vec<T> r = (y - n * C::high) - n * C::low;
    T factor = 1;
    for (int i = 2; i < C::terms; ++i) factor *= T(i);
    Vec<T> p = zero + T(1) / factor;
    for (int i = C::terms - 1; i >= 1; --i) {
        factor /= T(i);
        p = p * r + T(1) / factor;
    }
    typename C::Bits bits;
    std::memcpy(&bits, &shifted, sizeof bits);
    bits = (bits << C::shift) + C::one;
    Vec<T> scale;
    std::memcpy(&scale, &bits, sizeof scale);
    const Vec<T> value = scale * p;
    return gone ? zero : value;
}

// 1 / (1 + e^-x), with e = e^-|x|.
template <class T> inline Vec<T> sigmoid(Vec<T> x, Vec<T> e) {
    const Vec<T> zero = {}, one = zero + T(1);
    return (x < zero ? e : one) / (one + e);
}

// log(1 + e^x) = max(x, 0) + 2 artanh(e / (2 + e)), with e = e^-|x|.
template <class T> inline Vec<T> softplus(Vec<T> x, Vec<T> e) {
    const Vec<T> zero = {}, s = e / (e + T(2)), square = s * s;
    Vec<T> p = zero + T(2) / T(2 * Of<T>::odd - 1);
    for (int k = Of<T>::odd - 2; k >= 0; --k) p = p * square + T(2) / T(2 * k + 1);
    return (x > zero ? x : zero) + s * p;
}

}  // namespace
}  // namespace frames

#endif
