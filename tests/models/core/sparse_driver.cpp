// Calls the sparse map and the likelihood of notes at odd sizes, on buffers of exactly their size.

#include <cstdint>
#include <cstdio>
#include <vector>

#define DECLARED(T, NAME) \
    extern "C" int sparse_forward_##NAME(const T*, const T*, const T*, T*, int64_t, int64_t, int64_t); \
    extern "C" int sparse_backward_##NAME(const T*, const T*, T*, T*, int64_t, int64_t, int64_t); \
    extern "C" int bernoulli_##NAME(const T*, const T*, T*, T*, int64_t, int64_t); \
    static int run(const std::vector<T>& x, const std::vector<T>& W, int64_t N, int64_t D, int64_t G) { \
        std::vector<T> b(G), out(N * G), d_W(D * G), d_b(G), slope(N * D), ll(N); \
        return sparse_forward_##NAME(x.data(), W.data(), b.data(), out.data(), N, D, G) + \
               sparse_backward_##NAME(x.data(), out.data(), d_W.data(), d_b.data(), N, D, G) + \
               bernoulli_##NAME(x.data(), x.data(), slope.data(), ll.data(), N, D); \
    }
DECLARED(float, f32)
DECLARED(double, f64)

template <class T> int all() {
    int calls = 0;
    for (int64_t N : {0, 1, 3})
        for (int64_t D : {1, 7, 8, 9, 15, 16, 17, 31, 88})
            for (int64_t G : {1, 3, 4, 15, 16, 17, 63, 64, 65, 133}) {
                std::vector<T> x(N * D), W(D * G, T(1));
                for (std::size_t i = 0; i < x.size(); ++i) x[i] = i % 5 ? T(0) : T(1);
                if (run(x, W, N, D, G)) return -1;
                ++calls;
            }
    return calls;
}

int main() { std::printf("%d calls\n", all<float>() + all<double>()); }
