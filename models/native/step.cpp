// One step of the parameters in a row, down a gradient that is scaled, in one pass through memory. Plain, or by
// simplified Nesterov momentum where there is a velocity (eps: rate; mu: momentum; s: scale):
//
//     plain       theta <- theta - eps s g
//     Nesterov    theta <- theta + mu^2 v - (1 + mu) eps s g,        v <- mu v - eps s g
//
// And the size of the step beside that of theta before it, as Euclidean norms. No torch, no threads.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace step {
namespace {

using Index = std::ptrdiff_t;

}  // namespace

// As `_Arguments` of native_step.py has it.
struct Arguments {
    int64_t P;
    void *theta, *velocity;  // (P) each; no velocity of the plain rule
    const void* gradient;    // (P)
    double scale, rate, momentum, ratio;
};

namespace {

template <class T, Index L> struct Lanes {
    typedef T V __attribute__((vector_size(L * sizeof(T)), aligned(sizeof(T)), may_alias));
};

template <class T, bool NESTEROV> class Step {
    T *theta, *velocity;
    const T *gradient, down, down_now, along, along_now;

public:
    explicit Step(const Arguments& c)
        : theta(static_cast<T*>(c.theta)), velocity(static_cast<T*>(c.velocity)),
          gradient(static_cast<const T*>(c.gradient)), down(T(-c.rate * c.scale)),
          down_now(T(-(NESTEROV ? 1 + c.momentum : 1) * c.rate * c.scale)), along(T(c.momentum)),
          along_now(T(c.momentum * c.momentum)) {}

    // L numbers from a place on; squares are added to two sums.
    template <Index L, class V = typename Lanes<T, L>::V> void move(Index at, V& before, V& moved) {
        V* to = reinterpret_cast<V*>(theta + at);
        const V old = *to, g = *reinterpret_cast<const V*>(gradient + at);
        V now = old;
        if (NESTEROV) {
            V* v = reinterpret_cast<V*>(velocity + at);
            now += along_now * *v;
            *v = along * *v + down * g;
        }
        now += down_now * g;
        *to = now;
        before += old * old, moved += (now - old) * (now - old);
    }
};

template <class T, bool NESTEROV> void run(Arguments& c) {
    constexpr Index L = 64 / Index(sizeof(T)), BLOCK = 32 * L;  // of BLOCK numbers, sums are of their own type
    Step<T, NESTEROV> step(c);
    double before = 0, moved = 0;
    const auto add = [&](auto of_theta, auto of_change, Index lanes) {
        for (Index lane = 0; lane < lanes; ++lane) before += double(of_theta[lane]), moved += double(of_change[lane]);
    };
    for (Index start = 0; start < c.P; start += BLOCK) {
        const Index end = std::min(Index(c.P), start + BLOCK);
        typename Lanes<T, L>::V of_theta = {}, of_change = {};
        typename Lanes<T, 1>::V last_of_theta = {}, last_of_change = {};
        Index i = start;
        for (; i + L <= end; i += L) step.template move<L>(i, of_theta, of_change);
        for (; i < end; ++i) step.template move<1>(i, last_of_theta, last_of_change);
        add(of_theta, of_change, L), add(last_of_theta, last_of_change, 1);
    }
    c.ratio = std::sqrt(moved) / std::sqrt(before);
}

template <class T> int run(Arguments* arguments) {
    arguments->velocity ? run<T, true>(*arguments) : run<T, false>(*arguments);
    return 0;
}

}  // namespace
}  // namespace step

extern "C" int step_f32(step::Arguments* arguments) { return step::run<float>(arguments); }
extern "C" int step_f64(step::Arguments* arguments) { return step::run<double>(arguments); }
