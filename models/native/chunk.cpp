// A chunk of a simple recurrent network forward and back, in one call each: the way of the data through the kernels of its
// parts, so that nothing is copied between them and every gradient lands in its place in one row.
//
//     forward    h_0, W_in x_t + b, the scan, and of each scored step -log P with its gradients
//     backward   the scan back, the gradients of its weights and of h_0, all divided, and their norm
//     score      forward for the log P of every step alone, some steps at a time, so that they stay in cache
//
// Between the first two calls somebody may add to `d_path`, the gradient in h_0 ... h_T. What is not native of a network, such as
// the techniques, is not here. No torch.

#include "bernoulli.cpp"
#include "cross_entropy.cpp"
#include "nade.cpp"
#include "scan.cpp"
#include "sparse.cpp"
#include "step.cpp"

namespace chunk {
namespace {

using namespace resources;

enum Output { BERNOULLI = 0, SOFTMAX = 1, NADE = 2, CLASSES = 3 };
constexpr Index SCORED_AT_ONCE = 1 << 17;  // numbers of states

enum Failure { NONE = 0, NO_MEMORY = 1, NO_SYMBOL = 2 };

}  // namespace

// As `_Arguments` of native_gradient.py has it: T steps of B lanes, D wide; H units, U of NADE; K classes; N
// scored steps; P parameters.
struct Arguments {
    int64_t T, B, D, H, U, K, N, P, activation, output, learned, threads;
    // where each parameter begins in a row
    int64_t input_weight, recurrent_weight, bias, initial_state, output_weight, output_bias;
    int64_t hidden_weight, hidden_bias, from_hidden, to_hidden;  // of NADE
    int64_t class_weight, class_bias;
    const void *theta, *retention, *carried;  // (P), (H) or null, (B, H) or null where every piece begins
    const void *inputs, *targets;             // values (T, B, D) or int64 symbols (T, B)
    const unsigned char *fresh, *unpadded;    // (B); (T, B), or null where nothing is padded
    const int64_t* scored;                    // (N) places in (T, B), or null where all steps are scored
    const void* factors;                      // (N, H) of dropout, or null
    const std::ptrdiff_t* order;              // (D): the i-th note's place, of NADE
    const int64_t *class_of, *column_of;      // (D): of each symbol, of a softmax by classes
    const int64_t* class_starts;              // (K + 1): columns
    void *path, *d_path, *pre, *phi;          // (T + 1, B, H) twice; (T, B, H), at last its gradient; null where none leaks
    void *onward, *gradient, *ll;             // (B, H), (P), (T, B)
    double nll, divisor, norm;
};

namespace {

// What a thread keeps memory for.
enum Use {
    GIVEN, PATH, D_START, PICKED, D_PICKED, LIKELIHOODS, CAME, TO_NOTES, TO_UNITS, ERRORS, D_UNITS, CHOSEN, MINUS,
    CLASS, COLUMN, ENDS, NEXT, PLACE, SORTED, D_SORTED, WITHIN, USES
};

template <class T> class Chunk {
    Arguments& c;
    const Index lanes = c.B * c.H, all = c.T * lanes;
    const T* theta = static_cast<const T*>(c.theta);
    const T* retention = static_cast<const T*>(c.retention);
    const int64_t* symbols = c.output == SOFTMAX || c.output == CLASSES ? static_cast<const int64_t*>(c.inputs) : nullptr;
    T *path = static_cast<T*>(c.path), *d_path = static_cast<T*>(c.d_path), *pre = static_cast<T*>(c.pre);
    T *phi = static_cast<T*>(c.phi), *gradient = static_cast<T*>(c.gradient);
    const scan::Shape shape{1, c.T, c.B, c.H};
    const int activation = int(c.activation);

public:
    explicit Chunk(Arguments& arguments) : c(arguments) {}

    Failure forward() {
        if (strange()) return NO_SYMBOL;
        start();
        if (project(0, c.T)) return NO_MEMORY;
        silence(0, c.T);
        const T* W = theta + c.recurrent_weight;
        if (scan::forward<T>(pre, path, W, retention, nullptr, path + lanes, phi, shape, activation, c.threads)) return NO_MEMORY;
        carry_on(path + all);
        return c.N ? price() : NONE;
    }

    Failure score() {
        if (strange()) return NO_SYMBOL;
        const Index some = symbols ? c.T : std::max(Index(1), SCORED_AT_ONCE / lanes), most = std::min(some, Index(c.T));
        pre = workspace<T>(GIVEN, most * lanes), path = workspace<T>(PATH, (most + 1) * lanes);
        start();
        for (Index t = 0; t < c.T; t += some) {
            const Index steps = std::min(some, c.T - t);
            if (project(t, steps)) return NO_MEMORY;
            silence(t, steps);
            if (scan::forward<T>(pre, path, theta + c.recurrent_weight, retention, nullptr, path + lanes, nullptr,
                                 scan::Shape{1, steps, c.B, c.H}, activation, c.threads)) return NO_MEMORY;
            if (const Failure failed = likelihoods(t, steps)) return failed;
            std::memcpy(path, path + steps * lanes, std::size_t(lanes) * sizeof(T));
        }
        carry_on(path);
        return NONE;
    }

    Failure backward() {
        T* d_start = workspace<T>(D_START, lanes);
        const T *W = theta + c.recurrent_weight, *slopes = phi ? phi : path + lanes;
        if (scan::backward<T>(d_path + lanes, W, retention, slopes, path, path + lanes, pre, d_start,
                              gradient + c.recurrent_weight, shape, activation, c.threads)) return NO_MEMORY;
        T *d_weight = gradient + c.input_weight, *d_bias = gradient + c.bias;
        if (symbols) sparse::scatter<T>(symbols, pre, d_weight, d_bias, c.T * c.B, c.D, c.H);
        else if (sparse::backward<T>(static_cast<const T*>(c.inputs), pre, d_weight, d_bias, c.T * c.B, c.D, c.H))
            return NO_MEMORY;
        begin_back(d_start);
        divide();
        return NONE;
    }

private:
    bool begins(Index b) const { return !c.carried || c.fresh[b]; }

    void start() {
        for (Index b = 0; b < c.B; ++b) {
            const T* from = begins(b) ? theta + c.initial_state : static_cast<const T*>(c.carried) + b * c.H;
            std::memcpy(path + b * c.H, from, std::size_t(c.H) * sizeof(T));
        }
    }

    bool strange() const {
        for (Index n = 0; symbols && n < c.T * c.B; ++n)
            if (symbols[n] < 0 || symbols[n] >= c.D) return true;
        return false;
    }

    int project(Index t, Index steps) {
        const T *weight = theta + c.input_weight, *bias = theta + c.bias;
        const Index from = t * c.B, count = steps * c.B;
        if (!symbols)
            return sparse::forward<T>(static_cast<const T*>(c.inputs) + from * c.D, weight, bias, pre, count, c.D, c.H);
        sparse::gather<T>(symbols + from, weight, bias, pre, count, c.H);
        return 0;
    }

    // A rectified unit may grow without bound in padding: it is silent there.
    void silence(Index t, Index steps) {
        if (!c.unpadded || activation != scan::RELU) return;
        for (Index n = 0; n < steps * c.B; ++n)
            if (!c.unpadded[t * c.B + n]) std::fill_n(pre + n * c.H, c.H, -std::numeric_limits<T>::infinity());
    }

    void carry_on(const T* last) {
        T* onward = static_cast<T*>(c.onward);
        for (Index b = 0; b < c.B; ++b) {
            const bool going = !c.unpadded || c.unpadded[(c.T - 1) * c.B + b];
            if (going) std::memcpy(onward + b * c.H, last + b * c.H, std::size_t(c.H) * sizeof(T));
            else std::fill_n(onward + b * c.H, c.H, T(0));
        }
    }

    // Of some steps, whose states are those of `path`.
    Failure likelihoods(Index t, Index steps) {
        const Index from = t * c.B, count = steps * c.B;
        T* ll = static_cast<T*>(c.ll) + from;
        const T* came = symbols ? nullptr : static_cast<const T*>(c.targets) + from * c.D;
        if (c.output == NADE) return nade_of(path, came, ll, nullptr, count);
        if (!symbols)
            return Failure(bernoulli::frames<T>(path, theta + c.output_weight, theta + c.output_bias, came, ll, nullptr,
                                                nullptr, nullptr, count, c.H, c.D));
        return softmax(path, symbols + from, ll, nullptr, count);
    }

    // What the scored steps cost, the gradients of the output model's parameters, and d_path.
    Failure price() {
        const bool whole = !c.scored && !c.factors;
        const T* h = path;
        T* d_h = d_path;
        std::fill_n(d_path + (c.scored ? 0 : all), c.scored ? all + lanes : lanes, T(0));
        if (!whole) {
            T* picked = workspace<T>(PICKED, c.N * c.H);
            each_scored([&](Index n, Index place) {
                std::memcpy(picked + n * c.H, path + place * c.H, std::size_t(c.H) * sizeof(T));
            });
            scale(picked);
            h = picked, d_h = workspace<T>(D_PICKED, c.N * c.H);
        }
        T* ll = workspace<T>(LIKELIHOODS, c.N);
        if (const Failure failed = symbols ? of_symbols(h, ll, d_h) : of_notes(h, ll, d_h)) return failed;
        c.nll = 0;
        for (Index n = 0; n < c.N; ++n) c.nll -= double(ll[n]);
        if (!whole) {
            scale(d_h);
            each_scored([&](Index n, Index place) {
                std::memcpy(d_path + place * c.H, d_h + n * c.H, std::size_t(c.H) * sizeof(T));
            });
        }
        return NONE;
    }

    template <class Then> void each_scored(Then&& then) const {
        for (Index n = 0; n < c.N; ++n) then(n, c.scored ? Index(c.scored[n]) : n);
    }

    void scale(T* some) const {
        const T* factors = static_cast<const T*>(c.factors);
        if (!factors) return;
        for (Index i = 0; i < c.N * c.H; ++i) some[i] *= factors[i];
    }

    Failure of_notes(const T* h, T* ll, T* d_h) {
        const T* came = static_cast<const T*>(c.targets);
        if (c.scored) {
            T* picked = workspace<T>(CAME, c.N * c.D);
            each_scored([&](Index n, Index place) {
                std::memcpy(picked + n * c.D, came + place * c.D, std::size_t(c.D) * sizeof(T));
            });
            came = picked;
        }
        if (c.output == NADE) return nade_of(h, came, ll, d_h, c.N);
        return Failure(bernoulli::frames<T>(h, theta + c.output_weight, theta + c.output_bias, came, ll, d_h,
                                            gradient + c.output_weight, gradient + c.output_bias, c.N, c.H, c.D));
    }

    // Likelihoods and, where d_h is not null, all gradients of the sum of -ll.
    Failure nade_of(const T* h, const T* came, T* ll, T* d_h, Index N) {
        const nade::Shape sizes{1, N, c.D, c.U};
        const T *to_notes = theta + c.output_weight, *to_units = theta + c.hidden_weight;
        const T *reads = theta + c.from_hidden, *adds = theta + c.to_hidden;
        T *b = workspace<T>(TO_NOTES, N * c.D), *a = workspace<T>(TO_UNITS, N * c.U);
        T* d = d_h ? workspace<T>(ERRORS, N * c.D) : nullptr;
        affine::forward<T>(h, to_notes, theta + c.output_bias, b, N, c.H, c.D);
        affine::forward<T>(h, to_units, theta + c.hidden_bias, a, N, c.H, c.U);
        if (nade::forward<T>(came, b, a, reads, adds, c.order, ll, d, sizes, c.threads)) return NO_MEMORY;
        if (!d) return NONE;
        for (Index i = 0; i < N * c.D; ++i) d[i] = -d[i];
        T* d_a = workspace<T>(D_UNITS, N * c.U);
        if (nade::backward<T>(came, d, a, reads, adds, c.order, d_a, gradient + c.from_hidden, gradient + c.to_hidden,
                              sizes, c.threads)) return NO_MEMORY;
        affine::backward<T>(h, to_notes, theta + c.output_bias, d, true, d_h, gradient + c.output_weight,
                            gradient + c.output_bias, N, c.H, c.D);
        affine::backward<T>(h, to_units, theta + c.hidden_bias, d_a, false, d_h, gradient + c.hidden_weight,
                            gradient + c.hidden_bias, N, c.H, c.U);
        return NONE;
    }

    Failure of_symbols(const T* h, T* ll, T* d_h) {
        int64_t* came = workspace<int64_t>(CHOSEN, c.N);
        each_scored([&](Index n, Index place) { came[n] = symbols[place]; });
        return softmax(h, came, ll, d_h, c.N);
    }

    Failure softmax(const T* h, const int64_t* came, T* ll, T* d_h, Index N) {
        if (c.output == CLASSES) return by_classes(h, came, ll, d_h, N);
        const int64_t rows[] = {0, N}, columns[] = {0, c.D};
        return segments(h, came, ll, d_h, N, c.output_weight, c.output_bias, c.D, 1, rows, columns);
    }

    // Which of `width` symbols, for rows in G segments; the gradients are those of the sum of -ll.
    Failure segments(const T* h, const int64_t* came, T* ll, T* d_h, Index N, Index weight, Index bias, Index width,
                     Index G, const int64_t* rows, const int64_t* columns) {
        T* minus = workspace<T>(MINUS, N);
        std::fill_n(minus, N, T(-1));
        const int64_t sizes[] = {1, N, c.H, width, G};
        return Failure(cross_entropy::run<T>(h, theta + weight, theta + bias, came, minus, ll, d_h,
                                             d_h ? gradient + weight : nullptr, d_h ? gradient + bias : nullptr, sizes,
                                             rows, columns, c.threads));
    }

    // A symbol by way of its class: rows in the order of their classes choose among neighbouring columns.
    Failure by_classes(const T* h, const int64_t* came, T* ll, T* d_h, Index N) {
        const int64_t all_rows[] = {0, N}, all_classes[] = {0, c.K};
        int64_t *its = workspace<int64_t>(CLASS, N), *ends = workspace<int64_t>(ENDS, c.K + 1);
        int64_t *place = workspace<int64_t>(PLACE, N), *next = workspace<int64_t>(NEXT, c.K);
        std::fill_n(ends, c.K + 1, 0);
        for (Index n = 0; n < N; ++n) ++ends[(its[n] = c.class_of[came[n]]) + 1];
        if (segments(h, its, ll, d_h, N, c.class_weight, c.class_bias, c.K, 1, all_rows, all_classes)) return NO_MEMORY;
        for (Index k = 0; k < c.K; ++k) ends[k + 1] += ends[k];
        std::copy_n(ends, c.K, next);
        T* picked = workspace<T>(SORTED, N * c.H);
        int64_t* columns = workspace<int64_t>(COLUMN, N);
        for (Index n = 0; n < N; ++n) {
            place[n] = next[its[n]]++;
            columns[place[n]] = c.column_of[came[n]];
            std::memcpy(picked + place[n] * c.H, h + n * c.H, std::size_t(c.H) * sizeof(T));
        }
        T *values = workspace<T>(WITHIN, N), *d_picked = d_h ? workspace<T>(D_SORTED, N * c.H) : nullptr;
        const Failure failed = segments(picked, columns, values, d_picked, N, c.output_weight, c.output_bias, c.D, c.K,
                                        ends, c.class_starts);
        if (failed) return failed;
        for (Index n = 0; n < N; ++n) {
            ll[n] += values[place[n]];
            for (Index i = 0; d_h && i < c.H; ++i) d_h[n * c.H + i] += d_picked[place[n] * c.H + i];
        }
        return NONE;
    }

    // Of h_0, where it is learned, by the lanes that begin with it.
    void begin_back(const T* d_start) {
        T* to = gradient + c.initial_state;
        std::fill_n(to, c.H, T(0));
        for (Index b = 0; c.learned && b < c.B; ++b)
            for (Index i = 0; begins(b) && i < c.H; ++i) to[i] += d_start[b * c.H + i] + d_path[b * c.H + i];
    }

    void divide() {
        constexpr Index L = 8;
        const T by = T(1 / c.divisor);
        double sums[L] = {};
        for (Index i = 0; i < c.P; i += L)
            for (Index lane = 0, some = std::min(L, Index(c.P) - i); lane < some; ++lane) {
                const T scaled = gradient[i + lane] *= by;
                sums[lane] += double(scaled) * double(scaled);
            }
        double total = 0;
        for (const double sum : sums) total += sum;
        c.norm = std::sqrt(total);
    }
};

template <class T, class Call> int guarded(Arguments* arguments, Call call) try {
    Chunk<T> chunk(*arguments);
    return call(chunk);
} catch (const std::bad_alloc&) { return NO_MEMORY; }

}  // namespace
}  // namespace chunk

#define EXPORTED(T, NAME) \
    extern "C" int chunk_forward_##NAME(chunk::Arguments* arguments) { \
        return chunk::guarded<T>(arguments, [](auto& some) { return some.forward(); }); \
    } \
    extern "C" int chunk_backward_##NAME(chunk::Arguments* arguments) { \
        return chunk::guarded<T>(arguments, [](auto& some) { return some.backward(); }); \
    } \
    extern "C" int chunk_score_##NAME(chunk::Arguments* arguments) { \
        return chunk::guarded<T>(arguments, [](auto& some) { return some.score(); }); \
    }
EXPORTED(float, f32)
EXPORTED(double, f64)
#undef EXPORTED
