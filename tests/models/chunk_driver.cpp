// Takes chunks of odd sizes through a network, and a step down their gradient, each array in memory of exactly its size. Prints how many.

#include "../../models/native/chunk.cpp"

#include <cstdio>
#include <cstdlib>

template <class T> struct Calls {
    int (*forward)(chunk::Arguments*), (*backward)(chunk::Arguments*), (*score)(chunk::Arguments*), (*step)(step::Arguments*);
};

template <class T>
void run(Calls<T> calls, int64_t steps, int64_t B, int64_t D, int64_t H, int output, bool some, int activation) {
    const int64_t cells = steps * B, N = some ? (cells + 1) / 2 : cells, U = 3 + D / 2;
    const int64_t P = D * H + H * H + H + H + H * D + D + H * U + U + 2 * D * U + H * 2 + 2;
    std::vector<T> theta(P), gradient(P), velocity(P), retention(H, T(0.5)), carried(B * H), notes(cells * D), factors(N * H, T(1));
    for (auto* numbers : {&theta, &carried})
        for (T& x : *numbers) x = T(std::rand() % 1000) / 500 - 1;
    for (T& x : notes) x = std::rand() % 4 == 0;
    std::vector<std::ptrdiff_t> order(D);
    for (int64_t d = 0; d < D; ++d) order[d] = D - 1 - d;
    std::vector<int64_t> symbols(cells), scored, class_of(D), column_of(D), class_starts{0, (D + 1) / 2, D};
    for (int64_t d = 0; d < D; ++d) class_of[d] = d >= class_starts[1], column_of[d] = d;
    for (int64_t& symbol : symbols) symbol = std::rand() % D;
    for (int64_t n = 0; n < N; ++n) scored.push_back(some ? 2 * n : n);
    std::vector<unsigned char> fresh(B), unpadded(cells, 1);
    for (int64_t b = 0; b < B; ++b) fresh[b] = b % 2, unpadded[(steps - 1) * B + b] = !some || b % 2;
    std::vector<T> path((steps + 1) * B * H), d_path(path.size()), pre(cells * H), phi(cells * H), onward(B * H), ll(cells);
    chunk::Arguments c{};
    c.T = steps, c.B = B, c.D = D, c.H = H, c.N = N, c.P = P, c.activation = activation, c.output = output;
    c.learned = 1, c.threads = 1, c.divisor = 2;
    c.input_weight = 0, c.recurrent_weight = D * H, c.bias = c.recurrent_weight + H * H, c.initial_state = c.bias + H;
    c.output_weight = c.initial_state + H, c.output_bias = c.output_weight + H * D;
    c.U = U, c.hidden_weight = c.output_bias + D, c.hidden_bias = c.hidden_weight + H * U;
    c.from_hidden = c.hidden_bias + U, c.to_hidden = c.from_hidden + D * U, c.order = order.data();
    c.K = 2, c.class_weight = c.to_hidden + D * U, c.class_bias = c.class_weight + H * 2;
    c.class_of = class_of.data(), c.column_of = column_of.data(), c.class_starts = class_starts.data();
    c.theta = theta.data(), c.gradient = gradient.data(), c.retention = some ? retention.data() : nullptr;
    c.phi = some ? phi.data() : nullptr, c.carried = some ? carried.data() : nullptr;
    c.inputs = output % 2 ? static_cast<void*>(symbols.data()) : notes.data(), c.targets = c.inputs;
    c.fresh = fresh.data(), c.unpadded = some ? unpadded.data() : nullptr, c.scored = some ? scored.data() : nullptr;
    c.factors = some ? factors.data() : nullptr, c.path = path.data(), c.d_path = d_path.data(), c.pre = pre.data();
    c.onward = onward.data(), c.ll = ll.data();
    if (calls.forward(&c) || calls.backward(&c) || calls.score(&c)) std::abort();
    step::Arguments down{P, theta.data(), some ? velocity.data() : nullptr, gradient.data(), 0.5, 0.1, 0.9, 0};
    if (calls.step(&down)) std::abort();
}

int main() {
    const int64_t shapes[][4] = {{1, 1, 2, 1}, {3, 2, 5, 7}, {2, 9, 16, 16}, {7, 3, 17, 33}, {4, 5, 48, 49}, {5, 30, 88, 100}};
    const Calls<float> single{chunk_forward_f32, chunk_backward_f32, chunk_score_f32, step_f32};
    const Calls<double> twice{chunk_forward_f64, chunk_backward_f64, chunk_score_f64, step_f64};
    int chunks = 0;
    for (const auto& n : shapes)
        for (int output : {0, 1, 2, 3})
            for (bool some : {false, true})
                for (int activation : {0, 2}) {
                    run<float>(single, n[0], n[1], n[2], n[3], output, some, activation);
                    run<double>(twice, n[0], n[1], n[2], n[3], output, some, activation);
                    chunks += 2;
                }
    std::printf("%d chunks\n", chunks);
}
