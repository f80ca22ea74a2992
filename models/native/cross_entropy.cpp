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

#include "tiles.h"

namespace cross_entropy {
namespace {

using namespace tiles;

constexpr Index BLOCK = Index(5) << 18;  // logits of a block of rows
constexpr Index MOST_ROWS = 256;         // of a block
constexpr Index CHUNK = 10;              // panels whose exponentials are multiplied while they are in cache

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
        shared(panels, [&](Index p, Index end) { pack(p, end); });
        for (Index row = from; row < to; row += block) {
            const Index rows = std::min(block, to - row);
            shared(over(rows, ROWS), [&](Index a, Index z) {
                const Index begin = a * ROWS, end = std::min(z * ROWS, rows);
                values(row, rows, begin, end);
                exponentials(row, rows, begin, end);
            });
            if (m.d_W) shared(panels, [&](Index p, Index end) { gradients(rows, row == from, p, end); });
        }
    }

private:
    // Calls work(first, last) for the units that each thread takes.
    template <class Work> void shared(Index units, Work&& work) {
        if (divide(1, units, threads, [&](Index, Index first, Index last) { work(first, last); })) throw std::bad_alloc();
    }

    static Index rows_of_a_block(Index rows, Index panels) {
        const Index most = std::max(4 * ROWS, std::min(MOST_ROWS, BLOCK / (panels * W)));
        const Index blocks = over(rows, most);  // equally long ones
        return over(over(rows, blocks), ROWS) * ROWS;
    }

    // Weights of panels [p, end), and their biases, -inf beyond the edge.
    void pack(Index p, Index end) {
        for (; p < end; ++p) {
            const Index start = p * W, count = std::min(W, columns - start);
            pack_panel(m.W + first, H, m.V, columns, p, forward, m.d_W ? backward : nullptr);
            std::memcpy(bias + start, m.b + first + start, std::size_t(count) * sizeof(T));
            std::fill(bias + start + count, bias + start + W, -std::numeric_limits<T>::infinity());
        }
    }

    // Logits of rows [begin, end) of a block that starts at `row`, and the largest of each lane.
    void values(Index row, Index rows, Index begin, Index end) {
        pack_rows(m.h + row * H, H, begin, end, left);
        for (Index i = begin * L; i < end * L; ++i) largest[i] = -std::numeric_limits<T>::infinity();
        alignas(64) T out[ROWS * W];
        for (Index p = 0; p < panels; ++p) {
            const Index vectors = vectors_of<T>(columns, p);
            in_tiles(begin, end, [&](Index n, Index count) {
                const T *a = left + tile_start(n, H), *right = forward + p * H * W;
                tile_of<T>(count, vectors, a, Packed(), right, H, out);
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
            for (Index d = 0; d < deep; ++d) {
                const T* mine = backward + (d * panels * W + symbol) * W;
                const T* sum = sums + (d * rows + n) * W;
                T* to = m.d_h + (row + n) * H + d * W;
                for (Index k = 0, count = std::min(W, H - d * W); k < count; ++k) to[k] = scale * (sum[k] - others[n] * mine[k]);
            }
            pack_across(m.h + (row + n) * H, H, n, rows, scale, scaled);
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
                through_of<T>(some, vectors, a, rows * W, right, count, out);
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
                tile_of<T>(ROWS, vectors, scaled + k * rows, Packed(), right, rows, out);
                for (Index r = 0; r < std::min(ROWS, H - k); ++r) add(m.d_W + (k + r) * m.V + start, out + r * W);
            }
            tile_of<T>(1, vectors, weights, Packed(), right, rows, out);
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
}  // namespace cross_entropy

#define EXPORTED(T, NAME) \
    extern "C" int cross_entropy_##NAME(const T* h, const T* W, const T* b, const int64_t* symbols, const T* weights, \
                                        T* ll, T* d_h, T* d_W, T* d_b, const int64_t* n, const int64_t* rows, \
                                        const int64_t* columns, int64_t threads) { \
        return cross_entropy::run<T>(h, W, b, symbols, weights, ll, d_h, d_W, d_b, n, rows, columns, threads); \
    }
EXPORTED(float, f32)
EXPORTED(double, f64)
#undef EXPORTED
