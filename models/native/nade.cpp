// NADE on processors: log-likelihoods of frames, all gradients, and tangents of logits. No torch, no OpenMP.
//
//     a_1 = c,   z_i = b_i + V_i . sigmoid(a_i),   a_{i+1} = a_i + W_i v_i,   log p(v) = sum_i v_i z_i - log(1 + e^z_i)
//
// The tangent of z - b as c, V and W move is V'_i . s + V_i . (s (1 - s) a'), with a' like a. Backward is its transpose.
//
// Hidden units change after a note that is on, and only then: a frame has a row of them for each such note and one
// before, and a row serves the notes from one that is on to the next. Nothing is computed of a row for other notes, but
// that forward a vector of neighbouring notes is. Frames are taken in tiles that stay in cache.
//
// Forward and for tangents, a thread takes frames. Backward, every gradient of a hidden unit comes from that unit alone,
// so a thread takes panels of units through all frames, and no sums of threads are ever added: the number of threads
// changes no bit, and neither do the tiles, since each sum runs over the frames in their order.
//
// All arrays are dense: data, b, error, z (S, N, D), c (S, N, U), V, W (S, D, U); place (D), the i-th note's place in
// the data. Functions return 0, or 1 when memory ran out.

#include "frames.h"
#include "resources.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

namespace nade {
namespace {

using namespace frames;
using namespace resources;

constexpr Index GROUP = 8;     // rows that share a load of V
constexpr Index VECTORS = 5;   // of a panel of units: with 88 notes, 28 KiB of V
constexpr Index FRAMES = 16;   // of a tile
constexpr Index MOST = 128;    // rows of a tile, unless its only frame has more

struct Shape {
    Index S, N, D, U;
};

// Memory of a thread for one call, a cache line apart.
template <class T> class Buffer {
public:
    explicit Buffer(Index size) : data_(static_cast<T*>(::operator new[](std::size_t(size + 1) * sizeof(T), line))) {}
    ~Buffer() { ::operator delete[](data_, line); }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    operator T*() const { return data_; }

private:
    static constexpr std::align_val_t line{64};
    T* data_;
};

// ---- tiles -------------------------------------------------------------------------------------------------------

// Some frames: rows `first[f]` to `first[f + 1]` are those of frame f; row r serves notes begin[r] <= i < end[r], and
// note end[r] - 1 is on unless r is the last of its frame.
struct Tile {
    Index frames = 0;
    Index first[FRAMES + 1] = {0};
    std::vector<Index> begin, end;

    explicit Tile(Index D) : begin(std::size_t(capacity(D))), end(begin) {}
    static Index capacity(Index D) { return std::max(MOST, D + 1); }

    // Takes frames from those before `last`.
    template <class T> void take(const T* data, const Index* place, Index D, Index n, Index last) {
        frames = 0;
        for (; n < last && frames < FRAMES; ++n, ++frames) {
            Index row = first[frames], start = 0;
            const Index most = Index(begin.size());
            for (Index i = 0; i < D; ++i)
                if (!(data[n * D + place[i]] == T(0))) {
                    if (row + 1 == most) return;  // only where there is a frame already
                    begin[std::size_t(row)] = start, end[std::size_t(row)] = start = i + 1, ++row;
                }
            begin[std::size_t(row)] = start, end[std::size_t(row)] = D;
            first[frames + 1] = row + 1;
            if (row + 1 == most) { ++frames; return; }
        }
    }
};

// sigmoid(a) of all rows, for N vectors of units: out[row][unit]; W[note][unit] has `width` units a note.
template <class T>
void rows_of(const Tile& tile, const T* c, Index U, Index unit, Index vectors, const T* W, Index width, T* out) {
    for (Index f = 0; f < tile.frames; ++f, c += U)
        for (Index v = 0; v < vectors; ++v) {
            const Index at = v * lanes<T>();
            Vec<T> a = load<T>(c + unit + at, U - unit - at);
            for (Index row = tile.first[f]; row < tile.first[f + 1]; ++row) {
                store<T>(out + row * width + at, sigmoid<T>(a, decay<T>(a)));
                if (row + 1 < tile.first[f + 1]) a += load<T>(W + (tile.end[std::size_t(row)] - 1) * width + at);
            }
        }
}

// out[row]: sigmoid(a) of U units, then as many of its tangent; W and moved_W have `packed` units a note.
template <class T>
void moved_rows_of(const Tile& tile, const T* c, const T* moved_c, Index U, const T* W, const T* moved_W, Index packed,
                   Index width, T* out) {
    for (Index f = 0; f < tile.frames; ++f, c += U, moved_c += U)
        for (Index at = packed - lanes<T>(); at >= 0; at -= lanes<T>()) {  // the last one runs over what comes after it
            Vec<T> a = load<T>(c + at, U - at), moved = load<T>(moved_c + at, U - at);
            for (Index row = tile.first[f]; row < tile.first[f + 1]; ++row) {
                const Vec<T> s = sigmoid<T>(a, decay<T>(a));
                store<T>(out + row * width + at, s);
                store<T>(out + row * width + U + at, (s - s * s) * moved);
                if (row + 1 == tile.first[f + 1]) break;
                const Index note = (tile.end[std::size_t(row)] - 1) * packed + at;
                a += load<T>(W + note), moved += load<T>(moved_W + note);
            }
        }
}

// packed[i][u] = matrix[place[i]][unit + u], zeros where there is no such unit.
template <class T>
void pack(const T* matrix, const Index* place, Index D, Index U, Index unit, Index width, T* packed) {
    for (Index i = 0; i < D; ++i)
        for (Index u = 0; u < width; u += lanes<T>())
            store<T>(packed + i * width + u, load<T>(matrix + place[i] * U + unit + u, U - unit - u));
}

// The columns of a matrix (D, U) as blocks of notes side by side, from unit `first` of `units` on; zeros after the last.
template <class T>
void block(const T* matrix, const Index* place, Index D, Index U, Index first, Index units, T* blocks) {
    constexpr Index L = lanes<T>();
    for (Index i = 0; i < padded<T>(D); ++i)
        for (Index u = 0; u < U; ++u)
            blocks[(i / L * units + first + u) * L + i % L] = i < D ? matrix[place[i] * U + u] : T(0);
}

// ---- forward -----------------------------------------------------------------------------------------------------

// V_i . sigmoid(a_i) of all notes of a tile, z[frame][note].
template <class T>
void logits(const Tile& tile, const T* rows, Index width, const T* blocks, Index D, Index U, T* z) {
    constexpr Index L = lanes<T>();
    const Index stride = padded<T>(D);
    for (Index i0 = 0; i0 < D; i0 += L, blocks += U * L) {
        Index f = 0, row = 0;
        while (f < tile.frames) {
            Index group[GROUP], frame[GROUP], count = 0;
            for (; f < tile.frames && count < GROUP; row == tile.first[f + 1] ? ++f : f) {
                const Index begin = tile.begin[std::size_t(row)], end = tile.end[std::size_t(row)];
                if (begin < i0 + L && end > i0 && begin < end) group[count] = row, frame[count++] = f;
                ++row;
            }
            if (count == 0) break;
            const T* left[GROUP];
            for (Index r = 0; r < GROUP; ++r) left[r] = rows + (r < count ? group[r] : 0) * width;
            Vec<T> sum[GROUP] = {};
            for (Index u = 0; u < U; ++u) {
                const Vec<T> right = load<T>(blocks + u * L);
                for (Index r = 0; r < GROUP; ++r) sum[r] += right * left[r][u];
            }
            for (Index r = 0; r < count; ++r) {
                T out[L];
                store<T>(out, sum[r]);
                const Index from = std::max(i0, tile.begin[std::size_t(group[r])]);
                const Index to = std::min(i0 + L, tile.end[std::size_t(group[r])]);
                for (Index i = from; i < to; ++i) z[frame[r] * stride + i] = out[i - i0];
            }
        }
    }
}

// log p of a frame from its logits without b; error = v - p where it is wanted.
template <class T>
T finish(const T* data, const T* b, const Index* place, Index D, T* z, T* v, T* error) {
    constexpr Index L = lanes<T>();
    const Index stride = padded<T>(D);
    for (Index i = 0; i < D; ++i) z[i] += b[place[i]], v[i] = data[place[i]];
    for (Index i = D; i < stride; ++i) z[i] = v[i] = T(0);
    Vec<T> total = {};
    for (Index i = 0; i < stride; i += L) {
        const Vec<T> x = load<T>(z + i), on = load<T>(v + i), e = decay<T>(x);
        Vec<T> term = on * x - softplus<T>(x, e);
        if (i + L > D) term = load<T>(reinterpret_cast<const T*>(&term), D - i);
        total += term;
        store<T>(v + i, on - sigmoid<T>(x, e));
    }
    if (error)
        for (Index i = 0; i < D; ++i) error[place[i]] = v[i];
    T sum = 0;
    for (Index l = 0; l < L; ++l) sum += total[l];
    return sum;
}

template <class T>
void forward_frames(const T* data, const T* b, const T* c, const T* V, const T* W, const Index* place, T* likelihood,
                    T* error, Shape n, Index from, Index to) {
    const Index D = n.D, U = n.U, width = padded<T>(U), stride = padded<T>(D);
    Tile tile(D);
    Buffer<T> adds(D * width), blocks(stride * U), rows(tile.capacity(D) * width), z(FRAMES * stride), v(stride);
    pack<T>(W, place, D, U, 0, width, adds);
    block<T>(V, place, D, U, 0, U, blocks);
    while (from < to) {
        tile.take(data, place, D, from, to);
        rows_of<T>(tile, c + from * U, U, 0, width / lanes<T>(), adds, width, rows);
        logits<T>(tile, rows, width, blocks, D, U, z);
        for (Index f = 0; f < tile.frames; ++f) {
            const Index at = (from + f) * D;
            likelihood[from + f] =
                finish<T>(data + at, b + at, place, D, z + f * stride, v, error ? error + at : nullptr);
        }
        from += tile.frames;
    }
}

// The tangent of z - b of frames, in the order of the data.
template <class T>
void tangent_frames(const T* data, const T* c, const T* V, const T* W, const T* moved_c, const T* moved_V,
                    const T* moved_W, const Index* place, T* moved_z, Shape n, Index from, Index to) {
    const Index D = n.D, U = n.U, packed = padded<T>(U), width = U + packed, stride = padded<T>(D);
    Tile tile(D);
    Buffer<T> adds(D * packed), moved_adds(D * packed), blocks(stride * 2 * U), rows(tile.capacity(D) * width);
    Buffer<T> z(FRAMES * stride);
    pack<T>(W, place, D, U, 0, packed, adds);
    pack<T>(moved_W, place, D, U, 0, packed, moved_adds);
    block<T>(moved_V, place, D, U, 0, 2 * U, blocks);
    block<T>(V, place, D, U, U, 2 * U, blocks);
    for (; from < to; from += tile.frames) {
        tile.take(data, place, D, from, to);
        moved_rows_of<T>(tile, c + from * U, moved_c + from * U, U, adds, moved_adds, packed, width, rows);
        logits<T>(tile, rows, width, blocks, D, 2 * U, z);
        for (Index f = 0; f < tile.frames; ++f)
            for (Index i = 0; i < D; ++i) moved_z[(from + f) * D + place[i]] = z[f * stride + i];
    }
}

// ---- backward ----------------------------------------------------------------------------------------------------

// Gradients of `N` vectors of units from `unit` on; d is the gradient in the logits, where b has its own from.
template <class T, Index N>
void backward_panel(const T* data, const T* d, const T* c, const T* V, const T* W, const Index* place, T* d_c, T* d_V,
                    T* d_W, Shape n, Index unit) {
    constexpr Index L = lanes<T>(), width = N * L;
    const Index D = n.D, U = n.U;
    Tile tile(D);
    Buffer<T> reads(D * width), adds(D * width), d_reads(D * width), d_adds(D * width), dz(FRAMES * D);
    Buffer<T> rows(tile.capacity(D) * width);
    Buffer<const T*> row_of(FRAMES * D);
    pack<T>(V, place, D, U, unit, width, reads);
    pack<T>(W, place, D, U, unit, width, adds);
    std::fill(&d_reads[0], &d_reads[0] + D * width, T(0));
    std::fill(&d_adds[0], &d_adds[0] + D * width, T(0));
    for (Index at = 0; at < n.N; at += tile.frames) {
        tile.take(data, place, D, at, n.N);
        rows_of<T>(tile, c + at * U, U, unit, N, adds, width, rows);
        for (Index f = 0; f < tile.frames; ++f) {
            for (Index i = 0; i < D; ++i) dz[f * D + i] = d[(at + f) * D + place[i]];
            Vec<T> later[N] = {};
            for (Index row = tile.first[f + 1] - 1; row >= tile.first[f]; --row) {
                const Index begin = tile.begin[std::size_t(row)], end = tile.end[std::size_t(row)];
                const T* s = rows + row * width;
                if (row + 1 < tile.first[f + 1])
                    for (Index k = 0; k < N; ++k) {
                        T* to = d_adds + (end - 1) * width + k * L;
                        store<T>(to, load<T>(to) + later[k]);
                    }
                Vec<T> sum[N] = {};
                for (Index i = begin; i < end; ++i) {
                    row_of[f * D + i] = s;
                    for (Index k = 0; k < N; ++k) sum[k] += load<T>(reads + i * width + k * L) * dz[f * D + i];
                }
                for (Index k = 0; k < N; ++k) {
                    const Vec<T> value = load<T>(s + k * L);
                    later[k] += sum[k] * (value - value * value);
                }
            }
            for (Index k = 0; k < N; ++k)
                store<T>(d_c + (at + f) * U + unit + k * L, later[k], U - unit - k * L);
        }
        for (Index i = 0; i < D; ++i) {
            Vec<T> sum[N];
            for (Index k = 0; k < N; ++k) sum[k] = load<T>(d_reads + i * width + k * L);
            for (Index f = 0; f < tile.frames; ++f)
                for (Index k = 0; k < N; ++k) sum[k] += load<T>(row_of[f * D + i] + k * L) * dz[f * D + i];
            for (Index k = 0; k < N; ++k) store<T>(d_reads + i * width + k * L, sum[k]);
        }
    }
    for (Index i = 0; i < D; ++i)
        for (Index k = 0; k < N; ++k) {
            const Index from = i * width + k * L, to = place[i] * U + unit + k * L, count = U - unit - k * L;
            store<T>(d_V + to, load<T>(d_reads + from), count);
            store<T>(d_W + to, load<T>(d_adds + from), count);
        }
}

// ---- all passes --------------------------------------------------------------------------------------------------

template <class T>
int forward(const T* data, const T* b, const T* c, const T* V, const T* W, const Index* place, T* likelihood, T* error,
            Shape n, Index threads) try {
    const Index notes = n.N * n.D, units = n.N * n.U, square = n.D * n.U;
    return divide(n.S, n.N, threads, [&](Index s, Index first, Index last) {
        forward_frames<T>(data + s * notes, b + s * notes, c + s * units, V + s * square, W + s * square, place,
                          likelihood + s * n.N, error ? error + s * notes : nullptr, n, first, last);
    });
} catch (const std::bad_alloc&) { return 1; }

template <class T>
int tangent(const T* data, const T* c, const T* V, const T* W, const T* moved_c, const T* moved_V, const T* moved_W,
            const Index* place, T* moved_z, Shape n, Index threads) try {
    const Index notes = n.N * n.D, units = n.N * n.U, square = n.D * n.U;
    return divide(n.S, n.N, threads, [&](Index s, Index first, Index last) {
        tangent_frames<T>(data + s * notes, c + s * units, V + s * square, W + s * square, moved_c + s * units,
                          moved_V + s * square, moved_W + s * square, place, moved_z + s * notes, n, first, last);
    });
} catch (const std::bad_alloc&) { return 1; }

template <class T>
int backward(const T* data, const T* d, const T* c, const T* V, const T* W, const Index* place, T* d_c, T* d_V, T* d_W,
             Shape n, Index threads) try {
    const Index notes = n.N * n.D, units = n.N * n.U, square = n.D * n.U, L = lanes<T>();
    const Index vectors = padded<T>(n.U) / L, panels = (vectors + VECTORS - 1) / VECTORS;
    const auto call = [](Index size) {
        return size == 5   ? backward_panel<T, 5>
               : size == 4 ? backward_panel<T, 4>
               : size == 3 ? backward_panel<T, 3>
               : size == 2 ? backward_panel<T, 2>
                           : backward_panel<T, 1>;
    };
    return divide(n.S, panels, threads, [&](Index s, Index first, Index last) {
        for (Index p = first; p < last; ++p) {
            const Index from = vectors * p / panels, to = vectors * (p + 1) / panels;
            call(to - from)(data + s * notes, d + s * notes, c + s * units, V + s * square, W + s * square, place,
                            d_c + s * units, d_V + s * square, d_W + s * square, n, from * L);
        }
    });
} catch (const std::bad_alloc&) { return 1; }

}  // namespace
}  // namespace nade

#define EXPORTED(T, NAME) \
    extern "C" int nade_forward_##NAME(const T* data, const T* b, const T* c, const T* V, const T* W, \
                                       const std::ptrdiff_t* place, T* likelihood, T* error, const int64_t* n, \
                                       int64_t threads) { \
        return nade::forward<T>(data, b, c, V, W, place, likelihood, error, nade::Shape{n[0], n[1], n[2], n[3]}, threads); \
    } \
    extern "C" int nade_tangent_##NAME(const T* data, const T* c, const T* V, const T* W, const T* moved_c, \
                                       const T* moved_V, const T* moved_W, const std::ptrdiff_t* place, T* moved_z, \
                                       const int64_t* n, int64_t threads) { \
        return nade::tangent<T>(data, c, V, W, moved_c, moved_V, moved_W, place, moved_z, nade::Shape{n[0], n[1], n[2], n[3]}, \
                          threads); \
    } \
    extern "C" int nade_backward_##NAME(const T* data, const T* d, const T* c, const T* V, const T* W, \
                                        const std::ptrdiff_t* place, T* d_c, T* d_V, T* d_W, const int64_t* n, \
                                        int64_t threads) { \
        return nade::backward<T>(data, d, c, V, W, place, d_c, d_V, d_W, nade::Shape{n[0], n[1], n[2], n[3]}, threads); \
    }
EXPORTED(float, f32)
EXPORTED(double, f64)
#undef EXPORTED
