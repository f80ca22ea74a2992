// A product with vectors that are nearly all zeros, such as the frames of a piano-roll: only what is not zero costs.
//
//     out_n = b + sum over d with x_nd != 0 of x_nd W_d,        dW_d = sum over n with x_nd != 0 of x_nd d_out_n
//
// Each sum runs in the order of d or of n, so that a row is the same bits in any company. No torch, no threads.
// All arrays are dense: x (N, D), W (D, G), b (G), out (N, G).

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

namespace sparse {
namespace {

using Index = std::ptrdiff_t;

// Places of what is not zero in one row, NaN included. Most groups are all zeros, and are passed over at once.
template <class T> Index places(const T* row, Index D, Index* found) {
    constexpr Index GROUP = 8;
    Index count = 0, d = 0;
    const auto look = [&](Index end) {
        for (; d < end; ++d) found[count] = d, count += !(row[d] == T(0));
    };
    while (d + GROUP <= D) {
        std::uint64_t words[GROUP * sizeof(T) / 8], any = 0;
        std::memcpy(words, row + d, sizeof words);
        for (const std::uint64_t word : words) any |= word;
        if (any) look(d + GROUP);
        else d += GROUP;
    }
    look(D);
    return count;
}

template <class T, Index L> struct Lanes {
    typedef T V __attribute__((vector_size(L * sizeof(T)), aligned(sizeof(T)), may_alias));
};

template <class T> void add_scaled(T* __restrict to, const T* __restrict from, T by, Index size) {
    constexpr Index L = 64 / Index(sizeof(T));
    using V = typename Lanes<T, L>::V;
    Index i = 0;
    for (; i + L <= size; i += L) *reinterpret_cast<V*>(to + i) += by * *reinterpret_cast<const V*>(from + i);
    for (; i < size; ++i) to[i] += by * from[i];
}

// L columns of one row of the result in each of VECTORS vectors, summed in registers.
template <class T, Index L, Index VECTORS>
inline void columns(const T* x, const T* W, const T* b, T* out, Index G, const Index* found, Index count) {
    using V = typename Lanes<T, L>::V;
    V sum[VECTORS];
    for (Index v = 0; v < VECTORS; ++v) sum[v] = *reinterpret_cast<const V*>(b + v * L);
    for (Index j = 0; j < count; ++j) {
        const T* row = W + found[j] * G;
        const T by = x[found[j]];
        for (Index v = 0; v < VECTORS; ++v) sum[v] += by * *reinterpret_cast<const V*>(row + v * L);
    }
    for (Index v = 0; v < VECTORS; ++v) *reinterpret_cast<V*>(out + v * L) = sum[v];
}

template <class T>
int forward(const T* x, const T* W, const T* b, T* out, Index N, Index D, Index G) try {
    std::vector<Index> found(std::size_t(D) + 1);
    for (Index n = 0; n < N; ++n, x += D, out += G) {
        const Index count = places(x, D, found.data());
        Index at = 0;
        constexpr Index L = 64 / Index(sizeof(T));
        const Index* places = found.data();
        for (; at + 4 * L <= G; at += 4 * L) columns<T, L, 4>(x, W + at, b + at, out + at, G, places, count);
        for (; at + L <= G; at += L) columns<T, L, 1>(x, W + at, b + at, out + at, G, places, count);
        for (; at + 4 <= G; at += 4) columns<T, 4, 1>(x, W + at, b + at, out + at, G, places, count);
        for (; at < G; ++at) columns<T, 1, 1>(x, W + at, b + at, out + at, G, places, count);
    }
    return 0;
} catch (const std::bad_alloc&) { return 1; }

template <class T>
int backward(const T* x, const T* d_out, T* d_W, T* d_b, Index N, Index D, Index G) try {
    std::vector<Index> found(std::size_t(D) + 1);
    for (Index i = 0; i < D * G; ++i) d_W[i] = 0;
    for (Index i = 0; i < G; ++i) d_b[i] = 0;
    for (Index n = 0; n < N; ++n, x += D, d_out += G) {
        const Index count = places(x, D, found.data());
        add_scaled(d_b, d_out, T(1), G);
        for (Index j = 0; j < count; ++j) add_scaled(d_W + found[j] * G, d_out, x[found[j]], G);
    }
    return 0;
} catch (const std::bad_alloc&) { return 1; }

// The same of vectors with a single one: symbols, which pick rows. All of them are below D.
template <class T> void gather(const int64_t* symbols, const T* W, const T* b, T* out, Index N, Index G) {
    for (Index n = 0; n < N; ++n, out += G) {
        const T* row = W + symbols[n] * G;
        for (Index i = 0; i < G; ++i) out[i] = row[i] + b[i];
    }
}

template <class T>
void scatter(const int64_t* symbols, const T* d_out, T* d_W, T* d_b, Index N, Index D, Index G) {
    for (Index i = 0; i < D * G; ++i) d_W[i] = 0;
    for (Index i = 0; i < G; ++i) d_b[i] = 0;
    for (Index n = 0; n < N; ++n, d_out += G) {
        add_scaled(d_b, d_out, T(1), G);
        add_scaled(d_W + symbols[n] * G, d_out, T(1), G);
    }
}

}  // namespace
}  // namespace sparse

#define EXPORTED(T, NAME) \
    extern "C" int sparse_forward_##NAME(const T* x, const T* W, const T* b, T* out, int64_t N, int64_t D, int64_t G) { \
        return sparse::forward<T>(x, W, b, out, N, D, G); \
    } \
    extern "C" int sparse_backward_##NAME(const T* x, const T* d_out, T* d_W, T* d_b, int64_t N, int64_t D, \
                                          int64_t G) { \
        return sparse::backward<T>(x, d_out, d_W, d_b, N, D, G); \
    }
EXPORTED(float, f32)
EXPORTED(double, f64)
#undef EXPORTED
