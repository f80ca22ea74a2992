// Log-likelihood of a softmax with its gradients, on processors, in one pass. No torch, no OpenMP.
//
//     ll_n = z_nw - log sum_v e^{z_nv},   z = h W + b
//
// A segment is some rows of h that choose among some neighbouring columns of W: one for a whole softmax, one a class for
// a factorised one. Rows are taken in blocks whose logits stay in cache, and never more than a block of them exists:
// first the logits of a block and each row's largest, then e^{z - largest} and its product with W', then the gradients
// in W and b. A row's gradient in the logits is kept as e^z off its symbol and minus their sum on it: 1 - p of a symbol
// that is all but sure is exact, where p - 1 would be all rounding.
//
// Threads share the rows of a block, then its columns. Every sum has one order, whatever the number of threads.
//
// All arrays are dense: h (S, N, H), W (S, H, V), b (S, V), symbols and weights (S, N). Functions return 0, 1 when
// memory ran out, or 2 when a symbol is none of its segment's columns; nothing is written then.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

namespace {

using Index = std::ptrdiff_t;

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
constexpr Index BLOCK = Index(5) << 18;      // logits of a block of rows
constexpr Index MOST_ROWS = 256;             // of a block
constexpr Index CHUNK = 10;                  // panels whose exponentials are multiplied while they are in cache
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

// sum[r][v] += over k of left[k ROWS + r] panel[k][v]
template <class T, Index R, Index N>
inline void multiply(const T* left, const T* panel, Index depth, typename Vector<T>::V (&sum)[R][N]) {
    using V = typename Vector<T>::V;
    for (Index k = 0; k < depth; ++k) {
        V right[N];
        for (Index v = 0; v < N; ++v) right[v] = load<V>(panel + k * Vector<T>::WIDTH + v * Vector<T>::L);
        for (Index r = 0; r < R; ++r)
            for (Index v = 0; v < N; ++v) sum[r][v] += right[v] * left[k * ROWS + r];
    }
}

// out[r][v] = that sum
template <class T, Index R, Index N>
__attribute__((noinline)) void tile(const T* left, const T* panel, Index depth, T* out) {
    typename Vector<T>::V sum[R][N] = {};
    multiply<T, R, N>(left, panel, depth, sum);
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
template <class T, Index R, class... A> inline void tile_of(Index vectors, A... a) {
    if (vectors == 3) return tile<T, R, 3>(a...);
    if (vectors == 2) return tile<T, R, 2>(a...);
    return tile<T, R, 1>(a...);
}
template <class T, Index R, class... A> inline void through_of(Index vectors, A... a) {
    if (vectors == 3) return tile_through<T, R, 3>(a...);
    if (vectors == 2) return tile_through<T, R, 2>(a...);
    return tile_through<T, R, 1>(a...);
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

// ---- memory and threads ------------------------------------------------------------------------------------------

// Memory that a thread keeps for its next call: fresh pages cost as much as a small call.
enum Use { FORWARD, BACKWARD, BIAS, LEFT, LOGITS, LARGEST, SUMS, SCALED, WEIGHTS, USES };

template <class T> T* workspace(Use use, Index size) {
    struct Kept {
        T* data = nullptr;
        Index size = 0;
        void resize(Index wanted) {
            ::operator delete[](data, std::align_val_t(64));
            data = nullptr, size = 0;
            if (wanted > 0) data = static_cast<T*>(::operator new[](std::size_t(wanted) * sizeof(T), std::align_val_t(64)));
            size = wanted;
        }
        ~Kept() { resize(0); }
    };
    thread_local Kept kept[USES];
    if (kept[use].size < size) kept[use].resize(size);
    return kept[use].data;
}

// Cuts [0, units) into one run a thread, and calls work(first, last). Threads start and end with the call.
template <class Work> void divide(Index units, Index threads, Work&& work) {
    const Index runs = std::max(Index(1), std::min(threads, units));
    const auto run = [&](Index i) { work(units * i / runs, units * (i + 1) / runs); };
    std::vector<std::thread> others;
    Index started = 1;
    try {
        others.reserve(std::size_t(runs - 1));
        for (; started < runs; ++started) others.emplace_back(run, started);
    } catch (const std::system_error&) {
        for (Index i = started; i < runs; ++i) run(i);  // the system gives no more threads
    }
    run(0);
    for (std::thread& other : others) other.join();
}

// ---- a segment ---------------------------------------------------------------------------------------------------

template <class T> struct Member {
    const T *h, *W, *b;
    const int64_t* symbols;
    const T* weights;  // of each row's likelihood in the gradients; null for 1
    T *ll, *d_h, *d_W, *d_b;
    Index H, V;
};

template <class T> class Segment {
    using V = typename Vector<T>::V;
    static constexpr Index L = Vector<T>::L, W = Vector<T>::WIDTH;

    const Member<T>& m;
    const Index from, to, first, columns, H, panels, deep, block, threads;
    T *forward, *backward = nullptr, *bias, *left, *logits, *largest, *sums = nullptr, *scaled = nullptr, *weights = nullptr;

public:
    Segment(const Member<T>& member, Index from, Index to, Index first, Index last, Index threads)
        : m(member), from(from), to(to), first(first), columns(last - first), H(member.H), panels(over(columns, W)),
          deep(over(H, W)), block(rows_of_a_block(to - from, panels)),
          threads(std::min(threads, 1 + (to - from) * columns * H / WORK_OF_A_THREAD)) {
        forward = workspace<T>(FORWARD, panels * H * W);
        bias = workspace<T>(BIAS, panels * W);
        left = workspace<T>(LEFT, block * H);
        logits = workspace<T>(LOGITS, panels * block * W);
        largest = workspace<T>(LARGEST, block * L);
        if (!m.d_W) return;
        backward = workspace<T>(BACKWARD, deep * panels * W * W);
        sums = workspace<T>(SUMS, deep * block * W);
        scaled = workspace<T>(SCALED, over(H, ROWS) * block * ROWS);
        weights = workspace<T>(WEIGHTS, block * ROWS);
    }

    void run() {
        divide(panels, threads, [&](Index p, Index end) { pack(p, end); });
        for (Index row = from; row < to; row += block) {
            const Index rows = std::min(block, to - row);
            divide(over(rows, ROWS), threads, [&](Index a, Index z) {
                const Index begin = a * ROWS, end = std::min(z * ROWS, rows);
                values(row, rows, begin, end);
                exponentials(row, rows, begin, end);
            });
            if (m.d_W) divide(panels, threads, [&](Index p, Index end) { gradients(rows, row == from, p, end); });
        }
    }

private:
    static Index rows_of_a_block(Index rows, Index panels) {
        const Index most = std::max(4 * ROWS, std::min(MOST_ROWS, BLOCK / (panels * W)));
        const Index blocks = over(rows, most);  // equally long ones
        return over(over(rows, blocks), ROWS) * ROWS;
    }

    Index tile_start(Index row) const { return row / ROWS * ROWS * H + row % ROWS; }

    // forward[p][k][column] = W[k, column]; backward[hp][column][k] = W[k, column]; both 0 beyond the edge, b -inf there.
    void pack(Index p, Index end) {
        for (; p < end; ++p) {
            const Index start = p * W, count = std::min(W, columns - start);
            T* right = forward + p * H * W;
            for (Index k = 0; k < H; ++k) {
                std::memcpy(right + k * W, m.W + k * m.V + first + start, std::size_t(count) * sizeof(T));
                std::fill(right + k * W + count, right + (k + 1) * W, T(0));
            }
            std::memcpy(bias + start, m.b + first + start, std::size_t(count) * sizeof(T));
            std::fill(bias + start + count, bias + start + W, -std::numeric_limits<T>::infinity());
            if (!m.d_W) continue;
            for (Index d = 0; d < deep; ++d) {
                T* across = backward + (d * panels + p) * W * W;
                for (Index k = 0; k < W; ++k)
                    for (Index c = 0; c < W; ++c) across[c * W + k] = d * W + k < H ? right[(d * W + k) * W + c] : T(0);
            }
        }
    }

    // Logits of rows [begin, end) of a block that starts at `row`, and the largest of each lane.
    void values(Index row, Index rows, Index begin, Index end) {
        for (Index n = begin; n < end; ++n)
            for (Index k = 0; k < H; ++k) left[tile_start(n) + k * ROWS] = m.h[(row + n) * H + k];
        for (Index i = begin * L; i < end * L; ++i) largest[i] = -std::numeric_limits<T>::infinity();
        alignas(64) T out[ROWS * W];
        for (Index p = 0; p < panels; ++p) {
            const Index vectors = vectors_of<T>(columns, p);
            in_tiles(begin, end, [&](Index n, Index count) {
                const T *a = left + tile_start(n), *right = forward + p * H * W;
                if (count == ROWS) tile_of<T, ROWS>(vectors, a, right, H, out);
                else if (count == 4) tile_of<T, 4>(vectors, a, right, H, out);
                else if (count == 2) tile_of<T, 2>(vectors, a, right, H, out);
                else tile_of<T, 1>(vectors, a, right, H, out);
                for (Index r = 0; r < count; ++r) {
                    T* z = logits + (p * rows + n + r) * W;
                    V most = load<V>(largest + (n + r) * L);
                    for (Index v = 0; v < vectors; ++v) {
                        const V value = load<V>(out + r * W + v * L) + load<V>(bias + p * W + v * L);
                        most = value > most ? value : most;
                        store(z + v * L, value);
                    }
                    store(largest + (n + r) * L, most);
                }
            });
        }
    }

    // e^{z - largest}, the likelihoods, and d_h.
    void exponentials(Index row, Index rows, Index begin, Index end) {
        T chosen[MOST_ROWS], others[MOST_ROWS];
        for (Index n = begin; n < end; ++n) {
            T* lanes = largest + n * L;
            const T most = *std::max_element(lanes, lanes + L);
            std::fill(lanes, lanes + L, most);
            T& z = at_symbol(row, rows, n);
            chosen[n] = z - most;
            z = -std::numeric_limits<T>::infinity();
            others[n] = 0;
            if (m.d_W)
                for (Index d = 0; d < deep; ++d) std::fill_n(sums + (d * rows + n) * W, W, T(0));
        }
        for (Index p = 0; p < panels; p += CHUNK) {
            const Index last = std::min(p + CHUNK, panels);
            for (Index n = begin; n < end; ++n) others[n] += exponentials_of(rows, n, p, last);
            if (m.d_W) through(rows, begin, end, p, std::min(last * W, columns) - p * W);
        }
        for (Index n = begin; n < end; ++n) {
            const T total = others[n] + std::exp(chosen[n]);
            m.ll[row + n] = chosen[n] - (chosen[n] == T(0) ? std::log1p(others[n]) : std::log(total));
            if (!m.d_W) continue;
            at_symbol(row, rows, n) = -others[n];
            const T scale = -(m.weights ? m.weights[row + n] : T(1)) / total;
            const Index symbol = Index(m.symbols[row + n]) - first;
            const T* h = m.h + (row + n) * H;
            for (Index d = 0; d < deep; ++d) {
                const T* mine = backward + (d * panels * W + symbol) * W;
                const T* sum = sums + (d * rows + n) * W;
                T* to = m.d_h + (row + n) * H + d * W;
                for (Index k = 0, count = std::min(W, H - d * W); k < count; ++k) to[k] = scale * (sum[k] - others[n] * mine[k]);
            }
            for (Index k = 0; k < H; k += ROWS) {
                T* to = scaled + (k / ROWS * rows + n) * ROWS;
                for (Index r = 0; r < ROWS; ++r) to[r] = k + r < H ? scale * h[k + r] : T(0);
            }
            weights[n * ROWS] = scale;
        }
    }

    T& at_symbol(Index row, Index rows, Index n) {
        const Index symbol = Index(m.symbols[row + n]) - first;
        return logits[(symbol / W * rows + n) * W + symbol % W];
    }

    T exponentials_of(Index rows, Index n, Index p, Index last) {
        const V most = load<V>(largest + n * L);
        V sum = {};
        for (; p < last; ++p)
            for (Index v = 0; v < vectors_of<T>(columns, p); ++v) {
                T* z = logits + (p * rows + n) * W + v * L;
                const V e = exponential<T>(load<V>(z) - most);
                sum += e;
                store(z, e);
            }
        T total = 0;
        for (Index lane = 0; lane < L; ++lane) total += sum[lane];
        return total;
    }

    void through(Index rows, Index begin, Index end, Index p, Index count) {
        for (Index d = 0; d < deep; ++d) {
            const Index vectors = vectors_of<T>(H, d);
            const T* right = backward + (d * panels + p) * W * W;
            in_tiles(begin, end, [&](Index n, Index some) {
                const T* a = logits + (p * rows + n) * W;
                T* out = sums + (d * rows + n) * W;
                if (some == ROWS) through_of<T, ROWS>(vectors, a, rows * W, right, count, out);
                else if (some == 4) through_of<T, 4>(vectors, a, rows * W, right, count, out);
                else if (some == 2) through_of<T, 2>(vectors, a, rows * W, right, count, out);
                else through_of<T, 1>(vectors, a, rows * W, right, count, out);
            });
        }
    }

    // d_W and d_b of some panels: added to what earlier blocks of rows gave.
    void gradients(Index rows, bool fresh, Index p, Index end) {
        alignas(64) T out[ROWS * W];
        for (; p < end; ++p) {
            const Index vectors = vectors_of<T>(columns, p), start = first + p * W;
            const Index count = std::min(W, columns - p * W);
            const T* right = logits + p * rows * W;
            const auto add = [&](T* to, const T* sum) {
                if (fresh) std::memcpy(to, sum, std::size_t(count) * sizeof(T));
                else for (Index c = 0; c < count; ++c) to[c] += sum[c];
            };
            for (Index k = 0; k < H; k += ROWS) {
                if (!fresh)  // rows far apart in memory, which no processor guesses
                    for (Index r = 0; r < std::min(ROWS, H - k); ++r)
                        for (Index v = 0; v < vectors; ++v) __builtin_prefetch(m.d_W + (k + r) * m.V + start + v * L, 1);
                tile_of<T, ROWS>(vectors, scaled + k * rows, right, rows, out);
                for (Index r = 0; r < std::min(ROWS, H - k); ++r) add(m.d_W + (k + r) * m.V + start, out + r * W);
            }
            tile_of<T, 1>(vectors, weights, right, rows, out);
            add(m.d_b + start, out);
        }
    }
};

// `rows` (S, G + 1) and `columns` (G + 1) are where segments begin, and at the end where the last one ends.
template <class T>
int run(const T* h, const T* W, const T* b, const int64_t* symbols, const T* weights, T* ll, T* d_h, T* d_W, T* d_b,
        const int64_t* n, const int64_t* rows, const int64_t* columns, Index threads) try {
    const Index S = n[0], N = n[1], H = n[2], V = n[3], G = n[4];
    for (Index s = 0; s < S; ++s)
        for (Index g = 0; g < G; ++g)
            for (Index i = rows[s * (G + 1) + g]; i < rows[s * (G + 1) + g + 1]; ++i)
                if (symbols[s * N + i] < columns[g] || symbols[s * N + i] >= columns[g + 1]) return 2;
    for (Index s = 0; s < S; ++s) {
        const Member<T> member{h + s * N * H, W + s * H * V, b + s * V, symbols + s * N, weights ? weights + s * N : nullptr,
                               ll + s * N, d_h ? d_h + s * N * H : nullptr, d_W ? d_W + s * H * V : nullptr,
                               d_b ? d_b + s * V : nullptr, H, V};
        for (Index g = 0; g < G; ++g) {
            const Index from = rows[s * (G + 1) + g], to = rows[s * (G + 1) + g + 1];
            if (from < to) {
                Segment<T>(member, from, to, columns[g], columns[g + 1], threads).run();
                continue;
            }
            if (!d_W) continue;
            for (Index k = 0; k < H; ++k) std::fill(member.d_W + k * V + columns[g], member.d_W + k * V + columns[g + 1], T(0));
            std::fill(member.d_b + columns[g], member.d_b + columns[g + 1], T(0));
        }
    }
    return 0;
} catch (const std::bad_alloc&) { return 1; }

}  // namespace

#define EXPORTED(T, NAME) \
    extern "C" int cross_entropy_##NAME(const T* h, const T* W, const T* b, const int64_t* symbols, const T* weights, \
                                        T* ll, T* d_h, T* d_W, T* d_b, const int64_t* n, const int64_t* rows, \
                                        const int64_t* columns, int threads) { \
        return run<T>(h, W, b, symbols, weights, ll, d_h, d_W, d_b, n, rows, columns, threads); \
    }
EXPORTED(float, f32)
EXPORTED(double, f64)
