// The log-likelihood of independent notes, and its slope in the logits, in one pass: of logits that are given, or of
// states with the product that gives the logits, and those that give the gradients.
//
//     ll_n = sum over i of v_i z_i - log(1 + e^{z_i}),        d ll_n / d z_i = v_i - sigmoid(z_i),        z = h W + b
//
// With e = e^{-|z|} in (0, 1] nothing overflows: log(1 + e^z) = max(z, 0) + log1p(e), and log1p(e) = 2 artanh(s) by
// its series, s = e / (2 + e) <= 1/3. Rows never meet: each is the same bits in any company. NaN and infinity are passed
// on. No torch, no threads. All arrays are dense: z, v, slope (N, D), ll (N), h (N, H), W (H, D), b (D).

#include "affine.h"

namespace bernoulli {
namespace {

using namespace tiles;

template <class T> constexpr int ODD_TERMS = sizeof(T) == 4 ? 8 : 17;

template <class T> inline typename Vector<T>::V log_one_plus(typename Vector<T>::V e) {
    using V = typename Vector<T>::V;
    const V s = e / (e + T(2)), square = s * s;
    V p = V{} + T(1.0 / (2 * ODD_TERMS<T> - 1));
    for (int i = ODD_TERMS<T> - 2; i >= 0; --i) p = p * square + T(1.0 / (2 * i + 1));
    return (s + s) * p;
}

// Values of some lanes, and their slopes.
template <class T>
inline typename Vector<T>::V notes(typename Vector<T>::V z, typename Vector<T>::V v, typename Vector<T>::V& slope) {
    using V = typename Vector<T>::V;
    const V zero = {};
    const V e = exponential<T>(z < zero ? z : zero - z);
    slope = v - (z < zero ? e : zero + T(1)) / (e + T(1));
    return v * z - ((z > zero ? z : zero) + log_one_plus<T>(e));
}

// The first `count` numbers of a vector, the others 0.
template <class T> inline typename Vector<T>::V some(const T* from, Index count) {
    typename Vector<T>::V v = {};
    std::memcpy(&v, from, std::size_t(count) * sizeof(T));
    return v;
}

template <class T> inline typename Bits<T>::V first_lanes(Index count) {
    typename Bits<T>::V lanes = {};
    for (Index lane = 0; lane < Vector<T>::L; ++lane) lanes[lane] = -(lane < count);
    return lanes;
}

template <class T> inline T total(typename Vector<T>::V lanes) {
    T sum = 0;
    for (Index lane = 0; lane < Vector<T>::L; ++lane) sum += lanes[lane];
    return sum;
}

template <class T> void rows(const T* z, const T* v, T* slope, T* ll, Index N, Index D) {
    using V = typename Vector<T>::V;
    constexpr Index L = Vector<T>::L;
    const Index whole = D / L * L;
    const auto last = first_lanes<T>(D - whole);
    for (Index n = 0; n < N; ++n, z += D, v += D, slope += D) {
        V sum = {}, slopes;
        for (Index i = 0; i < whole; i += L) {
            sum += notes<T>(load<V>(z + i), load<V>(v + i), slopes);
            store(slope + i, slopes);
        }
        if (whole < D) {
            const V values = notes<T>(some(z + whole, D - whole), some(v + whole, D - whole), slopes);
            sum += last ? values : V{};
            std::memcpy(slope + whole, &slopes, std::size_t(D - whole) * sizeof(T));
        }
        ll[n] = total<T>(sum);
    }
}

// The value of some notes of a frame and, in `error`, its negative slope; beyond the edge both are 0.
template <class T> inline typename Vector<T>::V priced(typename Vector<T>::V z, const T* v, Index count, T* error) {
    using V = typename Vector<T>::V;
    const bool whole = count >= Vector<T>::L;
    V slope, value = notes<T>(z, whole ? load<V>(v) : some(v, count), slope);
    if (!whole) {
        const auto lanes = first_lanes<T>(count);
        value = lanes ? value : V{}, slope = lanes ? slope : V{};
    }
    store(error, V{} - slope);
    return value;
}

// Of states; the gradients are those of the sum of -ll, and not computed where d_h is null.
template <class T>
int frames(const T* h, const T* W, const T* b, const T* v, T* ll, T* d_h, T* d_W, T* d_b, Index N, Index H,
           Index D) try {
    using V = typename Vector<T>::V;
    constexpr Index L = Vector<T>::L;
    affine::Affine<T> map(W, b, H, D, d_h != nullptr);
    T* sums = workspace<T>(SUMS, affine::MOST_ROWS * L);
    affine::in_blocks(N, [&](Index row, Index rows) {
        std::fill(sums, sums + rows * L, T(0));
        map.values(h + row * H, rows, [&](Index n, Index column, V z, T* error) {
            const V value = priced<T>(z, v + (row + n) * D + column, D - column, error);
            store(sums + n * L, load<V>(sums + n * L) + value);
        });
        for (Index n = 0; n < rows; ++n) ll[row + n] = total<T>(load<V>(sums + n * L));
        if (!d_h) return;
        map.states(rows, true, d_h + row * H);
        map.weights(h + row * H, rows, row == 0, d_W, d_b);
    });
    return 0;
} catch (const std::bad_alloc&) { return 1; }

}  // namespace
}  // namespace bernoulli

#define EXPORTED(T, NAME) \
    extern "C" int bernoulli_##NAME(const T* z, const T* v, T* slope, T* ll, int64_t N, int64_t D) { \
        bernoulli::rows<T>(z, v, slope, ll, N, D); \
        return 0; \
    }
EXPORTED(float, f32)
EXPORTED(double, f64)
#undef EXPORTED
