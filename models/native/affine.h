// z = h W + b of states in blocks, whose logits stay in cache, and the way back through it. No torch, no threads.
//
// All arrays are dense: h (N, H), W (H, D), b (D). Memory is the thread's own, kept for the next call: one at a time.
#ifndef COUNTERPOINT_AFFINE
#define COUNTERPOINT_AFFINE

#include "tiles.h"

namespace affine {
namespace {

using namespace tiles;

constexpr Index MOST_ROWS = 128;  // of a block

template <class T> class Affine {
    using V = typename Vector<T>::V;
    static constexpr Index L = Vector<T>::L, W = Vector<T>::WIDTH;

    const Index H, D, panels, deep;
    T *forward, *backward, *bias, *errors;

public:
    Affine(const T* weight, const T* b, Index H, Index D, bool gradients)
        : H(H), D(D), panels(over(D, W)), deep(over(H, W)) {
        forward = workspace<T>(FORWARD, panels * H * W);
        backward = gradients ? workspace<T>(BACKWARD, deep * panels * W * W) : nullptr;
        bias = workspace<T>(BIAS, panels * W);
        errors = workspace<T>(LOGITS, panels * MOST_ROWS * W);
        for (Index p = 0; p < panels; ++p) pack_panel(weight, H, D, D, p, forward, backward);
        std::memcpy(bias, b, std::size_t(D) * sizeof(T));
        std::fill(bias + D, bias + panels * W, T(0));
    }

    // Calls then(row, column, z, error) for every vector of every row: its logits from a column on, and where the
    // gradient in them belongs. Beyond the edge z is 0, and the gradient has to be.
    template <class Then> void values(const T* h, Index rows, Then&& then) {
        alignas(64) T out[ROWS * W];
        for (Index p = 0; p < panels; ++p) {
            const Index vectors = vectors_of<T>(D, p);
            in_tiles(0, rows, [&](Index n, Index count) {
                tile_of<T>(count, vectors, h + n * H, Rows{H}, forward + p * H * W, H, out);
                for (Index r = 0; r < count; ++r)
                    for (Index i = 0; i < vectors; ++i)
                        then(n + r, p * W + i * L, load<V>(out + r * W + i * L) + load<V>(bias + p * W + i * L),
                             errors + (p * rows + n + r) * W + i * L);
            });
        }
    }

    // Takes gradients in the logits of some rows, (rows, D).
    void take(const T* d, Index rows) {
        for (Index p = 0; p < panels; ++p)
            for (Index n = 0, count = std::min(W, D - p * W); n < rows; ++n) {
                T* to = errors + (p * rows + n) * W;
                std::memcpy(to, d + n * D + p * W, std::size_t(count) * sizeof(T));
                std::fill(to + count, to + W, T(0));
            }
    }

    // d_h = d W', or that added to it.
    void states(Index rows, bool fresh, T* d_h) {
        alignas(64) T out[ROWS * W];
        for (Index d = 0; d < deep; ++d) {
            const Index vectors = vectors_of<T>(H, d), count = std::min(W, H - d * W);
            const T* right = backward + d * panels * W * W;
            in_tiles(0, rows, [&](Index n, Index some) {
                std::fill(out, out + some * W, T(0));
                through_of<T>(some, vectors, errors + n * W, rows * W, right, D, out);
                for (Index r = 0; r < some; ++r) add(d_h + (n + r) * H + d * W, out + r * W, count, fresh);
            });
        }
    }

    // d_W = h' d and d_b = sum of d, or these added to them.
    void weights(const T* h, Index rows, bool fresh, T* d_W, T* d_b) {
        alignas(64) T out[ROWS * W];
        for (Index p = 0; p < panels; ++p) {
            const Index vectors = vectors_of<T>(D, p), count = std::min(W, D - p * W);
            const T* right = errors + p * rows * W;
            in_tiles(0, H, [&](Index k, Index some) {
                tile_of<T>(some, vectors, h + k, Columns{H}, right, rows, out);
                for (Index r = 0; r < some; ++r) add(d_W + (k + r) * D + p * W, out + r * W, count, fresh);
            });
            std::fill(out, out + W, T(0));
            for (Index n = 0; n < rows; ++n)
                for (Index c = 0; c < W; ++c) out[c] += right[n * W + c];
            add(d_b + p * W, out, count, fresh);
        }
    }

private:
    static void add(T* to, const T* sum, Index count, bool fresh) {
        if (fresh) std::memcpy(to, sum, std::size_t(count) * sizeof(T));
        else for (Index c = 0; c < count; ++c) to[c] += sum[c];
    }
};

// Calls then(row, rows) for blocks of all rows.
template <class Then> void in_blocks(Index N, Then&& then) {
    for (Index row = 0; row < N; row += MOST_ROWS) then(row, std::min(MOST_ROWS, N - row));
}

template <class T> void forward(const T* h, const T* weight, const T* b, T* z, Index N, Index H, Index D) {
    constexpr Index L = Vector<T>::L;
    Affine<T> map(weight, b, H, D, false);
    in_blocks(N, [&](Index row, Index rows) {
        map.values(h + row * H, rows, [&](Index n, Index column, auto value, T*) {
            std::memcpy(z + (row + n) * D + column, &value, std::size_t(std::min(L, D - column)) * sizeof(T));
        });
    });
}

// From d, the gradient in z: d_h or, where it is not fresh, what is added to it; d_W and d_b.
template <class T>
void backward(const T* h, const T* weight, const T* b, const T* d, bool fresh, T* d_h, T* d_W, T* d_b, Index N, Index H,
              Index D) {
    Affine<T> map(weight, b, H, D, true);
    in_blocks(N, [&](Index row, Index rows) {
        map.take(d + row * D, rows);
        map.states(rows, fresh, d_h + row * H);
        map.weights(h + row * H, rows, row == 0, d_W, d_b);
    });
}

}  // namespace
}  // namespace affine

#endif
