// The leaky scan on processors: two loops over time, and the gradient of the recurrent matrix. No torch, no OpenMP.
//
//     h_t = a h_{t-1} + (1 - a) phi(pre_t + W h_{t-1})
//
// Rows of the batch never meet, so a thread takes rows through all steps without waiting for another. W is packed
// once into panels of columns, and one register tile, ROWS rows by up to 3 vectors, does every matrix product. Each
// sum runs over k in one order, whatever the tile, the batch, the stack or the number of threads: a row's states and
// gradients are the same bits in any company. Column groups at the right edge overlap their left neighbours, so
// that nothing is read or written beyond a row and no lane is padded.
//
// All arrays are dense: pre, states, phi (S, T, B, H), h0 (S, B, H), W (S, H, H), retention (S, H) or null.
// Functions return 0, or 1 when memory ran out.

#include "activations.h"
#include "resources.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>
#include <vector>

namespace scan {
namespace {

using namespace activations;
using namespace resources;

#if defined(__AVX512F__) || defined(__aarch64__)
constexpr Index ROWS = 8;  // 24 of 32 registers hold sums
#else
constexpr Index ROWS = 4;  // 12 of 16
#endif
constexpr Index VECTORS = 3;   // of a panel
constexpr Index DEPTH = 256;   // summands of the gradient in W that are added up in registers

// ---- one tile of a matrix product --------------------------------------------------------------------------------

// out[r][v] = sum over k of a(r, k) panel[k][v]; a(r, k) is a[r stride + k], or a[k ROWS + r] where it is packed.
template <class T, Index L, Index R, Index N, bool PACKED>
__attribute__((noinline)) void tile(const T* a, Index stride, const T* panel, Index depth, T* out) {
    using V = typename Lanes<T, L>::V;
    V sum[R][N] = {};
    for (Index k = 0; k < depth; ++k) {
        V right[N];
        for (Index v = 0; v < N; ++v) right[v] = load<V>(panel + (k * N + v) * L);
        for (Index r = 0; r < R; ++r) {
            const T left = PACKED ? a[k * ROWS + r] : a[r * stride + k];
            for (Index v = 0; v < N; ++v) sum[r][v] += right[v] * left;
        }
    }
    for (Index r = 0; r < R; ++r)
        for (Index v = 0; v < N; ++v) store(out + (r * VECTORS + v) * L, sum[r][v]);
}

template <class T, Index L, Index R, bool PACKED>
inline void product(Index vectors, const T* a, Index stride, const T* panel, Index depth, T* out) {
    if (vectors == 3) return tile<T, L, R, 3, PACKED>(a, stride, panel, depth, out);
    if (vectors == 2) return tile<T, L, R, 2, PACKED>(a, stride, panel, depth, out);
    return tile<T, L, R, 1, PACKED>(a, stride, panel, depth, out);
}

// ---- panels ------------------------------------------------------------------------------------------------------

// Neighbouring columns that one tile computes: `vectors` vectors of `lanes`. Those before `fresh` belong to the
// panel to the left as well.
struct Panel {
    Index lanes, vectors, first[VECTORS], fresh;
};

template <class T> constexpr Index full() { return VECTOR_BYTES / Index(sizeof(T)); }

template <class T> std::vector<Panel> panels_of(Index H) {
    constexpr Index L = full<T>(), half = L / 2;
    const Index lanes = H >= L ? L : H >= half ? half : 1;
    std::vector<Panel> panels;
    Index whole = H / lanes, column = 0;
    const Index rest = H - whole * lanes;
    const bool small = rest > 0 && lanes == L && rest <= half;
    if (rest > 0 && !small) ++whole;
    while (whole > 0) {
        Panel panel{lanes, whole == 4 ? 2 : std::min(whole, VECTORS), {}, column};
        for (Index v = 0; v < panel.vectors; ++v, column += lanes) panel.first[v] = std::min(column, H - lanes);
        whole -= panel.vectors;
        panels.push_back(panel);
    }
    if (small) panels.push_back(Panel{half, 1, {H - half}, column});
    return panels;
}

// What a thread keeps memory for.
enum Use { PACKED, WHOLE, TILES, RIGHT, SUMS, OUT, USES };

Index packed_size(const std::vector<Panel>& panels, Index depth) {
    Index columns = 0;
    for (const Panel& panel : panels) columns += panel.lanes * panel.vectors;
    return columns * depth;
}

// packed[panel][k][column] = matrix[column, k] or, transposed, matrix[k, column]
template <class T>
void pack(const T* matrix, Index H, bool transposed, const std::vector<Panel>& panels, T* packed) {
    for (const Panel& panel : panels) {
        const Index width = panel.lanes * panel.vectors;
        for (Index v = 0; v < panel.vectors; ++v) {
            T* to = packed + v * panel.lanes;
            const Index first = panel.first[v];
            if (transposed)
                for (Index k = 0; k < H; ++k)
                    std::memcpy(to + k * width, matrix + k * H + first, std::size_t(panel.lanes) * sizeof(T));
            else
                for (Index lane = 0; lane < panel.lanes; ++lane)
                    for (Index k = 0; k < H; ++k) to[k * width + lane] = matrix[(first + lane) * H + k];
        }
        packed += width * H;
    }
}

// ---- a step of some rows -----------------------------------------------------------------------------------------

// Calls then(lanes, panel, row, rows, out) with out = left packed, for all columns of rows [row, end) of left.
template <class T, Index L, class Then>
inline void rows_of(const Panel& panel, const T* packed, const T* left, Index H, Index row, Index end, T* out,
                    Then&& then) {
    const auto lanes = std::integral_constant<Index, L>();
    while (row < end) {
        const T* a = left + row * H;
        Index rows = end - row;
        if (rows >= ROWS) rows = ROWS, product<T, L, ROWS, false>(panel.vectors, a, H, packed, H, out);
        else if (rows >= 4) rows = 4, product<T, L, 4, false>(panel.vectors, a, H, packed, H, out);
        else if (rows >= 2) rows = 2, product<T, L, 2, false>(panel.vectors, a, H, packed, H, out);
        else product<T, L, 1, false>(panel.vectors, a, H, packed, H, out);
        for (Index r = 0; r < rows; ++r)
            for (Index v = 0; v < panel.vectors; ++v)
                then(lanes, (row + r) * H + panel.first[v], panel.first[v], out + (r * VECTORS + v) * L);
        row += rows;
    }
}

template <class T, class Then>
inline void step(const std::vector<Panel>& panels, const T* packed, const T* left, Index H, Index row, Index end,
                 Then&& then) {
    constexpr Index L = full<T>();
    alignas(64) T out[ROWS * VECTORS * L];
    for (const Panel& panel : panels) {
        if (panel.lanes == L) rows_of<T, L>(panel, packed, left, H, row, end, out, then);
        else if (panel.lanes == L / 2) rows_of<T, L / 2>(panel, packed, left, H, row, end, out, then);
        else rows_of<T, 1>(panel, packed, left, H, row, end, out, then);
        packed += panel.lanes * panel.vectors * H;
    }
}

struct Shape {
    Index S, T, B, H;
};

// Forward, or where `given` is not null the tangent: phi(z) is then replaced by phi'(z) z', with phi(z) given.
template <class T>
void forward_rows(const T* pre, const T* h0, const T* W, const T* retention, const T* given, T* states, T* phi,
                  Shape n, int activation, Index row, Index end, const std::vector<Panel>& panels, T* packed) {
    pack(W, n.H, false, panels, packed);
    const T* before = h0;
    const Index ahead = n.B * n.H;  // the next step
    for (Index t = 0; t < n.T; ++t) {
        step<T>(panels, packed, before, n.H, row, end, [&](auto lanes, Index at, Index column, const T* sum) {
            constexpr Index L = decltype(lanes)::value;
            using V = typename Lanes<T, L>::V;
            fetch(pre + at + ahead), fetch(states + at + ahead);
            const V z = load<V>(sum) + load<V>(pre + at);
            V value = given ? slope<T, L>(load<V>(given + at), activation) * z : activate<T, L>(z, activation);
            if (phi) store(phi + at, value);
            if (retention) {
                const V a = load<V>(retention + column);
                value = a * load<V>(before + at) + (T(1) - a) * value;
            }
            store(states + at, value);
        });
        before = states;
        pre += n.B * n.H, states += n.B * n.H;
        if (given) given += n.B * n.H;
        if (phi) phi += n.B * n.H;
    }
}

// d_pre of all steps and d_h0. `whole` is the whole gradient in h_t, needed where units leak: two steps of (B, H).
template <class T>
void backward_rows(const T* d_states, const T* W, const T* retention, const T* phi, T* d_pre, T* d_h0, Shape n,
                   int activation, Index row, Index end, const std::vector<Panel>& panels, T* packed, T* whole) {
    pack(W, n.H, true, panels, packed);
    const Index size = n.B * n.H;
    const T* now = d_states + (n.T - 1) * size;
    for (Index t = n.T; t-- > 0;) {
        const T* d_earlier = t > 0 ? d_states + (t - 1) * size : nullptr;
        T* next = t == 0 ? d_h0 : whole + (t % 2) * size;
        const auto through = [&](auto lanes, Index at, Index column, auto d) {
            constexpr Index L = decltype(lanes)::value;
            using V = typename Lanes<T, L>::V;
            const Index earlier = (t - 1) * size + at;
            fetch(phi + earlier - size), fetch(d_states + earlier - size), fetch(d_pre + earlier - size);
            V factor = slope<T, L>(load<V>(phi + earlier), activation);
            if (retention) factor *= T(1) - load<V>(retention + column);
            store(d_pre + earlier, d * factor);
        };
        if (t == n.T - 1)  // the last step: nothing comes from later ones
            for (Index r = row; r < end; ++r)
                for (Index i = 0; i < n.H; ++i) {
                    const Index at = t * size + r * n.H + i;
                    using V = typename Lanes<T, 1>::V;
                    V factor = slope<T, 1>(load<V>(phi + at), activation);
                    if (retention) factor *= T(1) - load<V>(retention + i);
                    store(d_pre + at, load<V>(d_states + at) * factor);
                }
        step<T>(panels, packed, d_pre + t * size, n.H, row, end,
                [&](auto lanes, Index at, Index column, const T* sum) {
                    using V = typename Lanes<T, decltype(lanes)::value>::V;
                    V d = load<V>(sum);
                    if (retention) d += load<V>(retention + column) * load<V>(now + at);
                    if (d_earlier) d += load<V>(d_earlier + at);
                    if (retention || t == 0) store(next + at, d);
                    if (t > 0) through(lanes, at, column, d);
                });
        now = next;
    }
}

// dW[i][j] = sum over k = (t, b) of d_pre[k][i] h_{t-1}[b][j], for the columns j of some panels.
template <class T, Index L>
void weight_panel(const Panel& panel, const T* tiles, Index depth, Index start, const T* h0, const T* states, Index B,
                  Index H, bool first, T* right, T* sums, T* out, T* d_W) {
    const Index width = panel.vectors * L;
    std::fill(sums, sums + (H + ROWS) * width, T(0));
    for (Index k0 = 0; k0 < depth; k0 += DEPTH) {
        const Index count = std::min(DEPTH, depth - k0);
        for (Index k = 0; k < count; ++k) {
            const Index at = start + k0 + k;
            const T* from = at < B ? h0 + at * H : states + (at - B) * H;
            for (Index v = 0; v < panel.vectors; ++v)
                std::memcpy(right + (k * panel.vectors + v) * L, from + panel.first[v], L * sizeof(T));
        }
        for (Index i = 0; i < H; i += ROWS) {
            product<T, L, ROWS, true>(panel.vectors, tiles + i * depth + k0 * ROWS, 0, right, count, out);
            using V = typename Lanes<T, L>::V;
            for (Index r = 0; r < ROWS; ++r)
                for (Index v = 0; v < panel.vectors; ++v) {
                    T* sum = sums + (i + r) * width + v * L;
                    store(sum, load<V>(sum) + load<V>(out + (r * VECTORS + v) * L));
                }
        }
    }
    for (Index i = 0; i < H; ++i)
        for (Index v = 0; v < panel.vectors; ++v)
            for (Index j = std::max(panel.first[v], panel.fresh + v * L); j < panel.first[v] + L; ++j) {
                const T sum = sums[i * width + v * L + j - panel.first[v]];
                d_W[i * H + j] = first ? sum : d_W[i * H + j] + sum;
            }
}

template <class T>
void weight_columns(const T* d_pre, const T* h0, const T* states, T* d_W, Shape n, const std::vector<Panel>& panels,
                    Index from, Index to) {
    constexpr Index L = full<T>();
    const Index H = n.H, padded = (H + ROWS - 1) / ROWS * ROWS, total = n.T * n.B;
    // Summands are taken in blocks whose tiles stay in cache.
    const Index block = std::min(total, std::max(DEPTH, (Index(1) << 19) / padded / DEPTH * DEPTH));
    T* tiles = workspace<T>(TILES, block * padded);
    T* right = workspace<T>(RIGHT, DEPTH * VECTORS * L);
    T* sums = workspace<T>(SUMS, (H + ROWS) * VECTORS * L);
    T* out = workspace<T>(OUT, ROWS * VECTORS * L);
    for (Index start = 0; start < total; start += block) {
        const Index depth = std::min(block, total - start);
        for (Index i = 0; i < H; i += ROWS) {
            const Index rows = std::min(ROWS, H - i);
            for (Index k = 0; k < depth; ++k) {
                T* to = tiles + i * depth + k * ROWS;
                const T* row = d_pre + (start + k) * H + i;
                if (rows == ROWS) std::memcpy(to, row, ROWS * sizeof(T));
                else for (Index r = 0; r < ROWS; ++r) to[r] = r < rows ? row[r] : T(0);
            }
        }
        for (Index p = from; p < to; ++p) {
            const Panel& panel = panels[std::size_t(p)];
            const auto call = panel.lanes == L ? weight_panel<T, L> : panel.lanes == 1 ? weight_panel<T, 1>
                                                                                      : weight_panel<T, L / 2>;
            call(panel, tiles, depth, start, h0, states, n.B, H, start == 0, right, sums, out, d_W);
        }
    }
}

// ---- both passes -------------------------------------------------------------------------------------------------

template <class T>
int forward(const T* pre, const T* h0, const T* W, const T* retention, const T* given, T* states, T* phi, Shape n,
            int activation, Index threads) try {
    const std::vector<Panel> panels = panels_of<T>(n.H);
    const Index rows = n.B * n.H, all = n.T * rows;
    return divide(n.S, (n.B + ROWS - 1) / ROWS, threads, [&](Index s, Index first, Index last) {
        T* packed = workspace<T>(PACKED, packed_size(panels, n.H));
        forward_rows<T>(pre + s * all, h0 + s * rows, W + s * n.H * n.H, retention ? retention + s * n.H : nullptr,
                        given ? given + s * all : nullptr, states + s * all, phi ? phi + s * all : nullptr, n,
                        activation, first * ROWS, std::min(last * ROWS, n.B), panels, packed);
    });
} catch (const std::bad_alloc&) { return 1; }

template <class T>
int backward(const T* d_states, const T* W, const T* retention, const T* phi, const T* h0, const T* states, T* d_pre,
             T* d_h0, T* d_W, Shape n, int activation, Index threads) try {
    const std::vector<Panel> panels = panels_of<T>(n.H);
    const Index rows = n.B * n.H, all = n.T * rows, square = n.H * n.H;
    Index failed = divide(n.S, (n.B + ROWS - 1) / ROWS, threads, [&](Index s, Index first, Index last) {
        T* packed = workspace<T>(PACKED, packed_size(panels, n.H));
        T* whole = workspace<T>(WHOLE, retention ? 2 * rows : 1);
        backward_rows<T>(d_states + s * all, W + s * square, retention ? retention + s * n.H : nullptr, phi + s * all,
                         d_pre + s * all, d_h0 + s * rows, n, activation, first * ROWS,
                         std::min(last * ROWS, n.B), panels, packed, whole);
    });
    if (failed || !d_W) return int(failed);
    return divide(n.S, Index(panels.size()), threads, [&](Index s, Index first, Index last) {
        weight_columns<T>(d_pre + s * all, h0 + s * rows, states + s * all, d_W + s * square, n, panels, first, last);
    });
} catch (const std::bad_alloc&) { return 1; }

}  // namespace
}  // namespace scan

#define EXPORTED(T, NAME) \
    extern "C" int scan_forward_##NAME(const T* pre, const T* h0, const T* W, const T* retention, const T* given, \
                                       T* states, T* phi, const int64_t* n, int64_t activation, int64_t threads) { \
        return scan::forward<T>(pre, h0, W, retention, given, states, phi, scan::Shape{n[0], n[1], n[2], n[3]}, activation, \
                          threads); \
    } \
    extern "C" int scan_backward_##NAME(const T* d_states, const T* W, const T* retention, const T* phi, \
                                        const T* h0, const T* states, T* d_pre, T* d_h0, T* d_W, const int64_t* n, \
                                        int64_t activation, int64_t threads) { \
        return scan::backward<T>(d_states, W, retention, phi, h0, states, d_pre, d_h0, d_W, \
                           scan::Shape{n[0], n[1], n[2], n[3]}, activation, threads); \
    }
EXPORTED(float, f32)
EXPORTED(double, f64)
#undef EXPORTED
