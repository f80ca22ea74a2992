// Products of matrices by register tiles, with what goes around them: vectors, e^x, packing.
//
// A panel is VECTORS neighbouring vectors of columns. The left side comes packed, ROWS rows to a tile. Every sum runs in
// one order, whatever the number of threads or the company of a row. No torch, no OpenMP.
#ifndef COUNTERPOINT_TILES
#define COUNTERPOINT_TILES

#include "resources.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

namespace tiles {
namespace {

using namespace resources;

#ifndef VECTOR_BYTES
#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif
#endif

#if defined(__AVX512F__) || defined(__aarch64__)
constexpr Index ROWS = 8;  // 24 of 32 registers hold sums
#else
constexpr Index ROWS = 4;  // 12 of 16
#endif
constexpr Index VECTORS = 3;                 // of a panel
constexpr Index WORK_OF_A_THREAD = 1 << 22;  // operations below which starting a thread takes longer than the work

template <class T> struct Vector {
    typedef T V __attribute__((vector_size(VECTOR_BYTES)));
    static constexpr Index L = VECTOR_BYTES / Index(sizeof(T)), WIDTH = VECTORS * L;
};
template <class T> struct Bits;
template <> struct Bits<float> { typedef int32_t V __attribute__((vector_size(VECTOR_BYTES))); };
template <> struct Bits<double> { typedef int64_t V __attribute__((vector_size(VECTOR_BYTES))); };

template <class V, class T> inline V load(const T* from) {
    V v;
    std::memcpy(&v, from, sizeof v);
    return v;
}

template <class V, class T> inline void store(T* to, V v) { std::memcpy(to, &v, sizeof v); }

inline Index over(Index size, Index part) { return (size + part - 1) / part; }

// ---- e^x for x <= 0 ----------------------------------------------------------------------------------------------

template <class T> struct Constants;
template <> struct Constants<float> {
    static constexpr float round = 12582912.0f, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f, least = -88.0f;
    static constexpr int shift = 23, terms = 7;
    static constexpr int32_t one = 127 << 23;
};
template <> struct Constants<double> {
    static constexpr double round = 6755399441055744.0, ln2_high = 6.93147180369123816490e-01;
    static constexpr double ln2_low = 1.90821492927058770002e-10, least = -709.0;
    static constexpr int shift = 52, terms = 13;
    static constexpr int64_t one = int64_t(1023) << 52;
};

// A power of two times the Taylor series on |r| <= ln2 / 2; exactly 0 from `least` on, and NaN for NaN.
template <class T, class V = typename Vector<T>::V> inline V exponential(V x) {
    using C = Constants<T>;
    const V zero = {};
    x = x < C::least ? zero + C::least : x;
    const V shifted = x * T(1.44269504088896340736) + C::round;
    const V n = shifted - C::round;
    const V r = (x - n * C::ln2_high) - n * C::ln2_low;
    static constexpr double factorial[] = {1.,       1. / 2,     1. / 6,       1. / 24,       1. / 120,       1. / 720,
                                           1. / 5040, 1. / 40320, 1. / 362880, 1. / 3628800, 1. / 39916800,
                                           1. / 479001600, 1. / 6227020800.};
    V p = zero + T(factorial[C::terms - 1]);
    for (int i = C::terms - 2; i >= 0; --i) p = p * r + T(factorial[i]);
    typename Bits<T>::V bits;
    std::memcpy(&bits, &shifted, sizeof bits);
    bits = (bits << C::shift) + C::one;
    V scale;
    std::memcpy(&scale, &bits, sizeof scale);
    return scale * (p * r) + scale;
}

// ---- tiles -------------------------------------------------------------------------------------------------------

// Where a tile finds row r at depth k: packed, ROWS rows to a tile; in rows of their own; or in columns of them.
struct Packed {
    Index at(Index r, Index k) const { return k * ROWS + r; }
};
struct Rows {
    Index stride;
    Index at(Index r, Index k) const { return r * stride + k; }
};
struct Columns {
    Index stride;
    Index at(Index r, Index k) const { return k * stride + r; }
};

// out[r][v] = sum over k of left(r, k) panel[k][v]
template <class T, Index R, Index N, class Left>
__attribute__((noinline)) void tile(const T* left, Left order, const T* panel, Index depth, T* out) {
    using V = typename Vector<T>::V;
    V sum[R][N] = {};
    for (Index k = 0; k < depth; ++k) {
        V right[N];
        for (Index v = 0; v < N; ++v) right[v] = load<V>(panel + k * Vector<T>::WIDTH + v * Vector<T>::L);
        for (Index r = 0; r < R; ++r)
            for (Index v = 0; v < N; ++v) sum[r][v] += right[v] * left[order.at(r, k)];
    }
    for (Index r = 0; r < R; ++r)
        for (Index v = 0; v < N; ++v) store(out + r * Vector<T>::WIDTH + v * Vector<T>::L, sum[r][v]);
}

// out[r][v] += over panels p and columns k of left[p][r][k] right[p][k][v]
template <class T, Index R, Index N>
__attribute__((noinline)) void tile_through(const T* left, Index stride, const T* right, Index columns, T* out) {
    using V = typename Vector<T>::V;
    constexpr Index W = Vector<T>::WIDTH, L = Vector<T>::L;
    V sum[R][N] = {};
    for (; columns > 0; columns -= W, left += stride, right += W * W)
        for (Index k = 0, count = std::min(columns, W); k < count; ++k) {
            V row[N];
            for (Index v = 0; v < N; ++v) row[v] = load<V>(right + k * W + v * L);
            for (Index r = 0; r < R; ++r)
                for (Index v = 0; v < N; ++v) sum[r][v] += row[v] * left[r * W + k];
        }
    for (Index r = 0; r < R; ++r)
        for (Index v = 0; v < N; ++v) {
            T* to = out + r * W + v * L;
            store(to, load<V>(to) + sum[r][v]);
        }
}

// Picks the tile of `rows` rows (ROWS, or fewer at the end) and `vectors` vectors.
template <class T, Index R, class... A> inline void tile_by(Index vectors, A... a) {
    if (vectors == 3) return tile<T, R, 3>(a...);
    if (vectors == 2) return tile<T, R, 2>(a...);
    return tile<T, R, 1>(a...);
}
template <class T, class... A> inline void tile_of(Index rows, Index vectors, A... a) {
    if (rows == ROWS) return tile_by<T, ROWS>(vectors, a...);
    if (rows == 4) return tile_by<T, 4>(vectors, a...);
    if (rows == 2) return tile_by<T, 2>(vectors, a...);
    return tile_by<T, 1>(vectors, a...);
}
template <class T, Index R, class... A> inline void through_by(Index vectors, A... a) {
    if (vectors == 3) return tile_through<T, R, 3>(a...);
    if (vectors == 2) return tile_through<T, R, 2>(a...);
    return tile_through<T, R, 1>(a...);
}
template <class T, class... A> inline void through_of(Index rows, Index vectors, A... a) {
    if (rows == ROWS) return through_by<T, ROWS>(vectors, a...);
    if (rows == 4) return through_by<T, 4>(vectors, a...);
    if (rows == 2) return through_by<T, 2>(vectors, a...);
    return through_by<T, 1>(vectors, a...);
}

// Calls then(row, rows) for rows [row, end) in tiles that a template serves.
template <class Then> inline void in_tiles(Index row, Index end, Then&& then) {
    while (row < end) {
        const Index left = end - row, rows = left >= ROWS ? ROWS : left >= 4 ? 4 : left >= 2 ? 2 : 1;
        then(row, rows);
        row += rows;
    }
}

template <class T> inline Index vectors_of(Index columns, Index panel) {
    return std::min(VECTORS, over(columns - panel * Vector<T>::WIDTH, Vector<T>::L));
}

// ---- packing -----------------------------------------------------------------------------------------------------

// Panel p of `columns` neighbouring columns of W (H, stride): forward[p][k][column] = W[k, column], and where it is
// wanted backward[hp][p][column][k] = W[k, column]; both 0 beyond the edge.
template <class T>
void pack_panel(const T* W, Index H, Index stride, Index columns, Index p, T* forward, T* backward) {
    constexpr Index WIDTH = Vector<T>::WIDTH;
    const Index start = p * WIDTH, count = std::min(WIDTH, columns - start), panels = over(columns, WIDTH);
    T* right = forward + p * H * WIDTH;
    for (Index k = 0; k < H; ++k) {
        std::memcpy(right + k * WIDTH, W + k * stride + start, std::size_t(count) * sizeof(T));
        std::fill(right + k * WIDTH + count, right + (k + 1) * WIDTH, T(0));
    }
    if (!backward) return;
    for (Index d = 0; d < over(H, WIDTH); ++d) {
        T* across = backward + (d * panels + p) * WIDTH * WIDTH;
        for (Index k = 0; k < WIDTH; ++k)
            for (Index c = 0; c < WIDTH; ++c)
                across[c * WIDTH + k] = d * WIDTH + k < H ? right[(d * WIDTH + k) * WIDTH + c] : T(0);
    }
}

inline Index tile_start(Index row, Index H) { return row / ROWS * ROWS * H + row % ROWS; }

// Rows [begin, end) of h (., H) as tiles: left[tile][k][row].
template <class T> void pack_rows(const T* h, Index H, Index begin, Index end, T* left) {
    for (Index n = begin; n < end; ++n)
        for (Index k = 0; k < H; ++k) left[tile_start(n, H) + k * ROWS] = h[n * H + k];
}

// Row n of `rows` as column n of the transposed, times `scale`: across[k / ROWS][n][k % ROWS], 0 beyond the edge.
template <class T> void pack_across(const T* h, Index H, Index n, Index rows, T scale, T* across) {
    for (Index k = 0; k < H; k += ROWS) {
        T* to = across + (k / ROWS * rows + n) * ROWS;
        for (Index r = 0; r < ROWS; ++r) to[r] = k + r < H ? scale * h[k + r] : T(0);
    }
}

// ---- memory ------------------------------------------------------------------------------------------------------

// What a thread keeps memory for.
enum Use { FORWARD, BACKWARD, BIAS, LEFT, LOGITS, LARGEST, SUMS, SCALED, WEIGHTS, USES };

}  // namespace
}  // namespace tiles

#endif
