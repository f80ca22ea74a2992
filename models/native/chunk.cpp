// A chunk of a simple recurrent network forward and back, in one call each: the way of the data through the bodies of its
// parts, so that nothing is copied between them and every gradient lands in its place in one row.
//
//     forward    h_0, W_in x_t + b, the scan, and of each scored step -log P with its gradients
//     backward   the scan back, the gradients of its weights and of h_0, all divided, and their norm
//     score      forward for the log P of every step alone, some steps at a time, so that they stay in cache
//
// Between the first two calls somebody may add to `d_path`, the gradient in h_0 ... h_T. What is not native of a network, such as
// the techniques, is not here. No torch.

#include "scan.cpp"
#include "sparse.cpp"
#include "bernoulli.cpp"
#include "cross_entropy.cpp"

namespace chunk {
namespace {

using Index = std::ptrdiff_t;

enum Output { BERNOULLI = 0, SOFTMAX = 1 };
constexpr Index SCORED_AT_ONCE = 1 << 16;  // numbers of states

enum Failure { NONE = 0, NO_MEMORY = 1, NO_SYMBOL = 2 };

}  // namespace

// As `_Arguments` of native_gradient.py has it: T steps of B lanes, D wide; H units; N scored steps; P parameters.
struct Arguments {
    int64_t T, B, D, H, N, P, activation, output, learned, threads;
    // where each parameter begins in a row
    int64_t input_weight, recurrent_weight, bias, initial_state, output_weight, output_bias;
    const void *theta, *retention, *carried;  // (P), (H) or null, (B, H) or null where every piece begins
    const void *inputs, *targets;             // values (T, B, D) or int64 symbols (T, B)
    const unsigned char *fresh, *mask;        // (B); (T, B), or null where all steps are real
    const int64_t* scored;                    // (N) places in (T, B), or null where all steps are scored
    const void* factors;                      // (N, H) of dropout, or null
    void *path, *d_path, *pre, *phi;          // (T + 1, B, H) twice; (T, B, H), at last its gradient; null where none leaks
    void *onward, *gradient, *ll;             // (B, H), (P), (T, B)
    double nll, divisor, norm;
};

namespace {

template <class T> T* room(std::vector<T>& kept, Index size) {
    if (Index(kept.size()) < size) kept.resize(std::size_t(size));
    return kept.data();
}

template <class T> class Chunk {
    Arguments& c;
    const Index lanes = c.B * c.H, all = c.T * lanes;
    const T* theta = static_cast<const T*>(c.theta);
    const T* retention = static_cast<const T*>(c.retention);
    const int64_t* symbols = c.output == SOFTMAX ? static_cast<const int64_t*>(c.inputs) : nullptr;
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
        static thread_local std::vector<T> inputs, states;
        if (strange()) return NO_SYMBOL;
        const Index some = symbols ? c.T : std::max(Index(1), SCORED_AT_ONCE / lanes), most = std::min(some, Index(c.T));
        pre = room(inputs, most * lanes), path = room(states, (most + 1) * lanes);
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
        static thread_local std::vector<T> kept;
        T* d_start = room(kept, lanes);
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
        if (!c.mask || activation != scan::RELU) return;
        for (Index n = 0; n < steps * c.B; ++n)
            if (!c.mask[t * c.B + n]) std::fill_n(pre + n * c.H, c.H, -std::numeric_limits<T>::infinity());
    }

    void carry_on(const T* last) {
        T* onward = static_cast<T*>(c.onward);
        for (Index b = 0; b < c.B; ++b) {
            const bool going = !c.mask || c.mask[(c.T - 1) * c.B + b];
            if (going) std::memcpy(onward + b * c.H, last + b * c.H, std::size_t(c.H) * sizeof(T));
            else std::fill_n(onward + b * c.H, c.H, T(0));
        }
    }

    // Of some steps, whose states are those of `path`.
    Failure likelihoods(Index t, Index steps) {
        const T *weight = theta + c.output_weight, *bias = theta + c.output_bias;
        const Index from = t * c.B, count = steps * c.B;
        T* ll = static_cast<T*>(c.ll) + from;
        if (!symbols)
            return Failure(bernoulli::frames<T>(path, weight, bias, static_cast<const T*>(c.targets) + from * c.D, ll,
                                                nullptr, nullptr, nullptr, count, c.H, c.D));
        const int64_t sizes[] = {1, count, c.H, c.D, 1}, rows[] = {0, count}, columns[] = {0, c.D};
        return Failure(cross_entropy::run<T>(path, weight, bias, symbols + from, nullptr, ll, nullptr, nullptr, nullptr,
                                             sizes, rows, columns, c.threads));
    }

    // What the scored steps cost, the gradients of the output model's parameters, and d_path.
    Failure price() {
        static thread_local std::vector<T> rows, d_rows, values;
        const bool whole = !c.scored && !c.factors;
        const T* h = path;
        T* d_h = d_path;
        std::fill_n(d_path + (c.scored ? 0 : all), c.scored ? all + lanes : lanes, T(0));
        if (!whole) {
            T* picked = room(rows, c.N * c.H);
            each_scored([&](Index n, Index place) {
                std::memcpy(picked + n * c.H, path + place * c.H, std::size_t(c.H) * sizeof(T));
            });
            scale(picked);
            h = picked, d_h = room(d_rows, c.N * c.H);
        }
        T* ll = room(values, c.N);
        if (const Failure failed = c.output == BERNOULLI ? of_notes(h, ll, d_h) : of_symbols(h, ll, d_h)) return failed;
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
        static thread_local std::vector<T> kept;
        const T* came = static_cast<const T*>(c.targets);
        if (c.scored) {
            T* picked = room(kept, c.N * c.D);
            each_scored([&](Index n, Index place) {
                std::memcpy(picked + n * c.D, came + place * c.D, std::size_t(c.D) * sizeof(T));
            });
            came = picked;
        }
        return Failure(bernoulli::frames<T>(h, theta + c.output_weight, theta + c.output_bias, came, ll, d_h,
                                            gradient + c.output_weight, gradient + c.output_bias, c.N, c.H, c.D));
    }

    Failure of_symbols(const T* h, T* ll, T* d_h) {
        static thread_local std::vector<int64_t> kept;
        static thread_local std::vector<T> minus;
        int64_t* came = room(kept, c.N);
        each_scored([&](Index n, Index place) { came[n] = symbols[place]; });
        std::fill_n(room(minus, c.N), c.N, T(-1));
        const int64_t sizes[] = {1, c.N, c.H, c.D, 1}, rows[] = {0, c.N}, columns[] = {0, c.D};
        return Failure(cross_entropy::run<T>(h, theta + c.output_weight, theta + c.output_bias, came, minus.data(), ll,
                                             d_h, gradient + c.output_weight, gradient + c.output_bias, sizes, rows,
                                             columns, c.threads));
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
