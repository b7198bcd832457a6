// What the parts of phoenix_bench_crdt measure with: random numbers, the processor clock, the heap and lines of JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace phoenix::crdt::bench {

/// splitmix64: the same numbers for ours and for rivals, whatever their language.
class random_numbers {
public:
    explicit random_numbers(std::uint64_t seed) noexcept : state_(seed) {}

    [[nodiscard]] std::uint64_t next() noexcept {
        std::uint64_t z = (state_ += 0x9e37'79b9'7f4a'7c15U);
        z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9U;
        z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11ebU;
        return z ^ (z >> 31);
    }

    [[nodiscard]] std::uint64_t below(std::uint64_t bound) noexcept { return next() % bound; }

private:
    std::uint64_t state_;
};

using keys = std::vector<std::uint64_t>;

[[nodiscard]] keys random_keys(std::size_t count, std::uint64_t seed);

/// The compiler must make the value.
template <class Value>
void keep(const Value& value) {
    asm volatile("" : : "r"(&value) : "memory");
}

/// Of this thread, in nanoseconds: other work on the machine does not count.
[[nodiscard]] double processor_time_ns();

/// A sum of times over an amount of work.
class stopwatch {
public:
    template <class Work>
    void time(std::size_t amount, Work&& work) {
        const double from = processor_time_ns();
        work();
        spent_ns_ += processor_time_ns() - from;
        amount_ += amount;
    }

    [[nodiscard]] double each_ns() const { return spent_ns_ / static_cast<double>(amount_); }

private:
    double spent_ns_ = 0;
    std::size_t amount_ = 0;
};

/// Where memory comes from while sizes grow: page faults cost as much as the work itself.
enum class heap {
    settled, ///< from what the process already has, as in a node that has run for a while
    fresh,   ///< large blocks anew from the system each time, as in a program that has just started
};

/// Before a scene. A settled heap takes `bytes` from the system and keeps them.
void prepare_heap(heap kind, std::size_t bytes);

[[nodiscard]] std::size_t heap_in_use();

/// "or_set, 1,000 elements".
[[nodiscard]] std::string scene_name(std::string_view type, std::size_t size, std::string_view of);

/// Prints a line of JSON a measure, named "SCENE: LABEL".
class report {
public:
    explicit report(std::string scene) : scene_(std::move(scene)) {}

    void line(std::string_view label, const char* unit, double value) const;
    void line(std::string_view label, const char* unit, double value, const char* rival,
              double rival_value) const;

private:
    std::string scene_;
};

/// How often to repeat what handles `size` elements, so that even small sizes are measurable.
[[nodiscard]] constexpr std::size_t repetitions(std::size_t size) {
    const std::size_t wanted = 500'000 / size;
    return wanted == 0 ? 1 : wanted;
}

/// The parts of the program; each measures one type at one size. `seed` chooses the keys, and whether ours or the rival
/// begins.
void measure_or_set(const report& to, std::size_t size, std::uint64_t seed);
void measure_or_set_flatness(const report& to, std::size_t size, std::uint64_t seed);
void measure_lww_map(const report& to, std::size_t size, std::uint64_t seed);
void measure_or_map(const report& to, std::size_t size, std::uint64_t seed);
void measure_sequence(const report& to, std::size_t edits, std::uint64_t seed);

} // namespace phoenix::crdt::bench
