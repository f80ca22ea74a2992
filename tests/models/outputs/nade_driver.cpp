// Calls the native NADE at odd sizes on buffers of exactly the size it may touch, for a build with sanitizers.
// Compiled together with models/native/nade.cpp by test_nade_memory.py. Prints how often it ran.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <memory>

#define DECLARED(T, NAME) \
    extern "C" int nade_forward_##NAME(const T*, const T*, const T*, const T*, const T*, const std::ptrdiff_t*, T*, T*, \
                                       const int64_t*, int64_t); \
    extern "C" int nade_tangent_##NAME(const T*, const T*, const T*, const T*, const T*, const T*, const T*, \
                                       const std::ptrdiff_t*, T*, const int64_t*, int64_t); \
    extern "C" int nade_backward_##NAME(const T*, const T*, const T*, const T*, const T*, const std::ptrdiff_t*, T*, \
                                        T*, T*, const int64_t*, int64_t); \
    inline auto forward_of(T) { return nade_forward_##NAME; } \
    inline auto tangent_of(T) { return nade_tangent_##NAME; } \
    inline auto backward_of(T) { return nade_backward_##NAME; }
DECLARED(float, f32)
DECLARED(double, f64)

uint32_t state = 1;

// Numbers in [-0.5, 0.5) or, for a share of notes that are on, zeros and ones.
template <class T> std::unique_ptr<T[]> filled(int64_t size, double share = -1) {
    auto values = std::unique_ptr<T[]>(new T[std::size_t(size)]);
    for (int64_t i = 0; i < size; ++i) {
        state = state * 1664525u + 1013904223u;
        const double number = double(state >> 8) / double(1 << 24);
        values[std::size_t(i)] = share < 0 ? T(number - 0.5) : T(number < share);
    }
    return values;
}

template <class T> bool nade(int64_t S, int64_t N, int64_t D, int64_t U, double share, int threads) {
    const int64_t sizes[] = {S, N, D, U}, notes = S * N * D, units = S * N * U, square = S * D * U;
    const auto data = filled<T>(notes, share), b = filled<T>(notes), c = filled<T>(units);
    const auto V = filled<T>(square), W = filled<T>(square), likelihood = filled<T>(S * N), error = filled<T>(notes);
    const auto d_c = filled<T>(units), d_V = filled<T>(square), d_W = filled<T>(square);
    const auto place = std::unique_ptr<std::ptrdiff_t[]>(new std::ptrdiff_t[std::size_t(D)]);
    for (int64_t i = 0; i < D; ++i) place[std::size_t(i)] = D - 1 - i;
    int failed = 0;
    for (T* wanted : {static_cast<T*>(nullptr), error.get()})
        failed |= forward_of(T())(data.get(), b.get(), c.get(), V.get(), W.get(), place.get(), likelihood.get(), wanted,
                                  sizes, threads);
    failed |= tangent_of(T())(data.get(), c.get(), V.get(), W.get(), d_c.get(), d_V.get(), d_W.get(), place.get(), b.get(),
                              sizes, threads);
    failed |= backward_of(T())(data.get(), error.get(), c.get(), V.get(), W.get(), place.get(), d_c.get(), d_V.get(),
                               d_W.get(), sizes, threads);
    return failed == 0;
}

int main() {
    int ran = 0, failed = 0;
    const auto both = [&](int64_t S, int64_t N, int64_t D, int64_t U, int threads) {
        for (const double share : {0.1, 1.0}) {
            failed += !nade<float>(S, N, D, U, share, threads);
            failed += !nade<double>(S, N, D, U, share, threads);
            ran += 2;
        }
    };
    for (int64_t U = 1; U <= 100; ++U) both(1 + U % 3, 1 + U % 37, 1 + U * 7 % 41, U, 1);
    for (const int64_t D : {1, 16, 17, 88, 127, 128, 129, 200}) both(1, 35, D, 21, 1);  // more rows than a tile has
    both(3, 50, 88, 150, 4);  // threads share a member, and have several
    both(1, 9, 5, 1, 4);
    std::printf("%d times\n", ran);
    return failed;
}
