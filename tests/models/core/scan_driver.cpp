// Calls the native scan at odd sizes on buffers of exactly the size it may touch, for a build with sanitizers.
// Compiled together with models/native/scan.cpp by test_scan_memory.py. Prints how many scans it ran.

#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <memory>

#define DECLARED(T, NAME) \
    extern "C" int scan_forward_##NAME(const T*, const T*, const T*, const T*, const T*, T*, T*, const int64_t*, int64_t, \
                                       int64_t); \
    extern "C" int scan_backward_##NAME(const T*, const T*, const T*, const T*, const T*, const T*, T*, T*, T*, \
                                        const int64_t*, int64_t, int64_t); \
    inline auto forward_of(T) { return scan_forward_##NAME; } \
    inline auto backward_of(T) { return scan_backward_##NAME; }
DECLARED(float, f32)
DECLARED(double, f64)

template <class T> std::unique_ptr<T[]> filled(int64_t size) {
    static uint32_t state = 1;
    auto values = std::unique_ptr<T[]>(new T[std::size_t(size)]);
    for (int64_t i = 0; i < size; ++i) {
        state = state * 1664525u + 1013904223u;
        values[std::size_t(i)] = T(state >> 8) / T(1 << 24) - T(0.5);
    }
    return values;
}

template <class T> bool scan(int64_t S, int64_t steps, int64_t B, int64_t H, int activation, bool leak, int threads) {
    const int64_t sizes[] = {S, steps, B, H}, all = S * steps * B * H, rows = S * B * H, square = S * H * H;
    const auto pre = filled<T>(all), h0 = filled<T>(rows), W = filled<T>(square), retention = filled<T>(S * H);
    const auto states = filled<T>(all), phi = filled<T>(all), moved = filled<T>(all), d_states = filled<T>(all);
    const auto d_pre = filled<T>(all), d_h0 = filled<T>(rows), d_W = filled<T>(square);
    const T* a = leak ? retention.get() : nullptr;
    const T* kept = leak ? phi.get() : states.get();
    int failed = forward_of(T())(pre.get(), h0.get(), W.get(), a, nullptr, states.get(), leak ? phi.get() : nullptr,
                                 sizes, activation, threads);
    failed |= forward_of(T())(pre.get(), h0.get(), W.get(), a, kept, moved.get(), nullptr, sizes, activation, threads);
    failed |= backward_of(T())(d_states.get(), W.get(), a, kept, h0.get(), states.get(), d_pre.get(), d_h0.get(),
                               nullptr, sizes, activation, threads);
    failed |= backward_of(T())(d_states.get(), W.get(), a, kept, h0.get(), states.get(), d_pre.get(), d_h0.get(),
                               d_W.get(), sizes, activation, threads);
    return failed == 0;
}

int main() {
    int ran = 0, failed = 0;
    const auto both = [&](int64_t S, int64_t steps, int64_t B, int64_t H, int threads) {
        const int activation = int(H + B) % 3;
        for (const bool leak : {false, true}) {
            failed += !scan<float>(S, steps, B, H, activation, leak, threads);
            failed += !scan<double>(S, steps, B, H, activation, leak, threads);
            ran += 2;
        }
    };
    for (int64_t H = 1; H <= 70; ++H) both(1 + H % 3, 1 + H % 4, 1 + H % 19, H, 1);
    for (const int64_t H : {5, 31, 100, 113}) both(3, 2, 21, H, 4);  // threads share a member, and have several
    both(1, 60, 9, 33, 1);                                           // more steps than one block of the gradient in W
    both(2, 400, 11, 130, 2);
    std::printf("%d scans\n", ran);
    return failed;
}
