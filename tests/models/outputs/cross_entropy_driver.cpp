// Runs the native cross-entropy over sizes around its tiles and blocks, each array in memory of exactly its size.
// Compiled together with models/native/cross_entropy.cpp by test_cross_entropy_memory.py. Prints how many calls it made.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#define DECLARED(T, NAME) \
    extern "C" int cross_entropy_##NAME(const T*, const T*, const T*, const int64_t*, const T*, T*, T*, T*, T*, \
                                        const int64_t*, const int64_t*, const int64_t*, int64_t);
DECLARED(float, f32)
DECLARED(double, f64)

static int calls = 0;

template <class T, class Call> void run(Call call, int64_t S, int64_t N, int64_t H, int64_t D, bool classes, int threads) {
    std::vector<T> h(S * N * H), W(S * H * D), b(S * D), factor(S * N), ll(S * N), d_h(h.size()), d_W(W.size()), d_b(b.size());
    for (auto* numbers : {&h, &W, &b, &factor})
        for (T& x : *numbers) x = T(std::rand() % 1000) / 500 - 1;
    const int64_t cut = classes ? (D + 2) / 3 : D, some = classes ? N / 2 : N;
    std::vector<int64_t> sizes{S, N, H, D, classes ? 2 : 1}, rows, columns{0, cut}, symbols(S * N);
    if (classes) columns.push_back(D);
    for (int64_t s = 0; s < S; ++s) {
        rows.push_back(0), rows.push_back(some);
        if (classes) rows.push_back(N);
        for (int64_t n = 0; n < N; ++n) symbols[s * N + n] = n < some ? std::rand() % cut : cut + std::rand() % (D - cut);
    }
    for (bool gradients : {true, false}) {
        T *states = gradients ? d_h.data() : nullptr, *weight = gradients ? d_W.data() : nullptr;
        T* bias = gradients ? d_b.data() : nullptr;
        if (call(h.data(), W.data(), b.data(), symbols.data(), gradients ? factor.data() : nullptr, ll.data(), states, weight,
                 bias, sizes.data(), rows.data(), columns.data(), threads)) std::abort();
        ++calls;
    }
}

int main() {
    const int64_t shapes[][4] = {{1, 1, 1, 2}, {2, 3, 5, 17}, {1, 9, 16, 48}, {1, 7, 33, 49}, {3, 8, 47, 97}, {1, 31, 49, 130},
                                 {1, 300, 3, 50}, {1, 70, 2, 20001}};
    for (const auto& n : shapes)
        for (bool classes : {false, true})
            for (int threads : {1, 2, 7}) {
                run<float>(cross_entropy_f32, n[0], n[1], n[2], n[3], classes, threads);
                run<double>(cross_entropy_f64, n[0], n[1], n[2], n[3], classes, threads);
            }
    std::printf("%d calls\n", calls);
}
