// The log-likelihood of independent notes, and its slope in the logits, in one pass: of logits that are given, or of
// states with the product that gives the logits, and those that give the gradients.
//
//     ll_n = sum over i of v_i z_i - log(1 + e^{z_i}),        d ll_n / d z_i = v_i - sigmoid(z_i),        z = h W + b
//
// With e = e^{-|z|} in (0, 1] nothing overflows: log(1 + e^z) = max(z, 0) + log1p(e), and log1p(e) = 2 artanh(s) by
// its series, s = e / (2 + e) <= 1/3. Rows never meet: each is the same bits in any company. NaN and infinity are passed
// on. No torch, no threads. All arrays are dense: z, v, slope (N, D), ll (N), h (N, H), W (H, D), b (D).

#include "tiles.h"

namespace bernoulli {
namespace {

using namespace tiles;

constexpr Index MOST_ROWS = 128;  // of a block, whose logits stay in cache

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

// States with their notes; gradients are of the sum of -ll, and not computed where d_h is null.
template <class T> class Frames {
    using V = typename Vector<T>::V;
    static constexpr Index L = Vector<T>::L, W = Vector<T>::WIDTH;

    const T *h, *v;
    const Index H, D, panels, deep;
    T *forward, *backward, *bias, *errors, *sums;

public:
    Frames(const T* h, const T* weight, const T* b, const T* v, Index H, Index D, bool gradients)
        : h(h), v(v), H(H), D(D), panels(over(D, W)), deep(over(H, W)) {
        forward = workspace<T>(FORWARD, panels * H * W);
        backward = gradients ? workspace<T>(BACKWARD, deep * panels * W * W) : nullptr;
        bias = workspace<T>(BIAS, panels * W);
        errors = workspace<T>(LOGITS, panels * MOST_ROWS * W);
        sums = workspace<T>(SUMS, MOST_ROWS * L);
        for (Index p = 0; p < panels; ++p) pack_panel(weight, H, D, D, p, forward, backward);
        std::memcpy(bias, b, std::size_t(D) * sizeof(T));
        std::fill(bias + D, bias + panels * W, T(0));
    }

    void run(Index N, T* ll, T* d_h, T* d_W, T* d_b) {
        for (Index row = 0; row < N; row += MOST_ROWS) {
            const Index rows = std::min(MOST_ROWS, N - row);
            values(row, rows, ll);
            if (!d_h) continue;
            states(rows, d_h + row * H);
            weights(row, rows, row == 0, d_W, d_b);
        }
    }

private:
    // errors[p][n] = sigmoid(z) - v, 0 beyond the edge.
    void values(Index row, Index rows, T* ll) {
        std::fill(sums, sums + rows * L, T(0));
        alignas(64) T out[ROWS * W];
        for (Index p = 0; p < panels; ++p) {
            const Index vectors = vectors_of<T>(D, p);
            in_tiles(0, rows, [&](Index n, Index count) {
                tile_of<T>(count, vectors, h + (row + n) * H, Rows{H}, forward + p * H * W, H, out);
                for (Index r = 0; r < count; ++r)
                    for (Index i = 0; i < vectors; ++i)
                        note(p * W + i * L, row + n + r, load<V>(out + r * W + i * L), sums + (n + r) * L,
                             errors + (p * rows + n + r) * W + i * L);
            });
        }
        for (Index n = 0; n < rows; ++n) ll[row + n] = total<T>(load<V>(sums + n * L));
    }

    void note(Index column, Index row, V product, T* sum, T* error) {
        const Index count = std::min(L, D - column);
        const T* came = v + row * D + column;
        const bool whole = count == L;
        V slope, value = notes<T>(product + load<V>(bias + column), whole ? load<V>(came) : some(came, count), slope);
        if (!whole) {
            const auto lanes = first_lanes<T>(count);
            value = lanes ? value : V{}, slope = lanes ? slope : V{};
        }
        store(sum, load<V>(sum) + value);
        store(error, V{} - slope);
    }

    // d_h = errors W'
    void states(Index rows, T* d_h) {
        alignas(64) T out[ROWS * W];
        for (Index d = 0; d < deep; ++d) {
            const Index vectors = vectors_of<T>(H, d), count = std::min(W, H - d * W);
            const T* right = backward + d * panels * W * W;
            in_tiles(0, rows, [&](Index n, Index some) {
                std::fill(out, out + some * W, T(0));
                const T* a = errors + n * W;
                through_of<T>(some, vectors, a, rows * W, right, D, out);
                for (Index r = 0; r < some; ++r)
                    std::memcpy(d_h + (n + r) * H + d * W, out + r * W, std::size_t(count) * sizeof(T));
            });
        }
    }

    // d_W = h' errors and d_b, added to what earlier blocks gave.
    void weights(Index row, Index rows, bool fresh, T* d_W, T* d_b) {
        alignas(64) T out[ROWS * W];
        for (Index p = 0; p < panels; ++p) {
            const Index vectors = vectors_of<T>(D, p), count = std::min(W, D - p * W);
            const T* right = errors + p * rows * W;
            const auto add = [&](T* to, const T* sum) {
                if (fresh) std::memcpy(to, sum, std::size_t(count) * sizeof(T));
                else for (Index c = 0; c < count; ++c) to[c] += sum[c];
            };
            in_tiles(0, H, [&](Index k, Index some) {
                tile_of<T>(some, vectors, h + row * H + k, Columns{H}, right, rows, out);
                for (Index r = 0; r < some; ++r) add(d_W + (k + r) * D + p * W, out + r * W);
            });
            std::fill(out, out + W, T(0));
            for (Index n = 0; n < rows; ++n)
                for (Index c = 0; c < W; ++c) out[c] += right[n * W + c];
            add(d_b + p * W, out);
        }
    }
};

template <class T>
int frames(const T* h, const T* W, const T* b, const T* v, T* ll, T* d_h, T* d_W, T* d_b, Index N, Index H,
           Index D) try {
    Frames<T>(h, W, b, v, H, D, d_h != nullptr).run(N, ll, d_h, d_W, d_b);
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
