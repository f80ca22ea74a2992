// Memory that a thread keeps from one call to the next, and threads that start and end with a call. No torch, no OpenMP.
#ifndef COUNTERPOINT_RESOURCES
#define COUNTERPOINT_RESOURCES

#include <algorithm>
#include <cstddef>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

namespace resources {
namespace {

using Index = std::ptrdiff_t;

#ifdef __SANITIZE_ADDRESS__
constexpr bool EXACT = true;  // what is beyond a workspace is found, though an earlier one was larger
#else
constexpr bool EXACT = false;
#endif

// Memory for one use among those of an enum, whose last is USES: fresh pages cost as much as a small call.
template <class T, class Use> T* workspace(Use use, Index size) {
    struct Kept {
        T* data = nullptr;
        Index size = 0;
        void resize(Index wanted) {
            ::operator delete[](data, std::align_val_t(64));
            data = nullptr, size = 0;
            if (wanted > 0) data = static_cast<T*>(::operator new[](std::size_t(wanted) * sizeof(T), std::align_val_t(64)));
            size = wanted;
        }
        ~Kept() { resize(0); }
    };
    thread_local Kept kept[Use::USES];
    if (EXACT ? kept[use].size != size : kept[use].size < size) kept[use].resize(size);
    return kept[use].data;
}

// Cuts `units` of each of S members into one run a thread, and calls work(s, first, last) for what lies in a run.
// Threads start and end with the call: nothing is left over, and a fork in between finds none.
template <class Work> bool divide(Index S, Index units, Index threads, Work&& work) {
    const Index total = S * units, runs = std::max(Index(1), std::min(threads, total));
    std::vector<char> failed(std::size_t(runs), 0);
    const auto run = [&](Index i) {
        try {
            for (Index at = total * i / runs, end = total * (i + 1) / runs; at < end;) {
                const Index s = at / units, last = std::min(end - s * units, units);
                work(s, at - s * units, last);
                at = s * units + last;
            }
        } catch (const std::bad_alloc&) {
            failed[std::size_t(i)] = 1;
        }
    };
    std::vector<std::thread> others;
    Index started = 1;
    try {
        others.reserve(std::size_t(runs - 1));
        for (; started < runs; ++started) others.emplace_back(run, started);
    } catch (const std::system_error&) {
        for (Index i = started; i < runs; ++i) run(i);  // the system gives no more threads
    }
    run(0);
    for (std::thread& other : others) other.join();
    return std::find(failed.begin(), failed.end(), 1) != failed.end();
}

}  // namespace
}  // namespace resources

#endif
