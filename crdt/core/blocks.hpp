// A vector in blocks: what stands in it stays where it is, and a long one has no unused half.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace phoenix::crdt::detail {

template <class Value>
class blocks {
public:
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    [[nodiscard]] Value& operator[](std::size_t place) noexcept {
        return all_[place / length][place % length];
    }

    [[nodiscard]] const Value& operator[](std::size_t place) const noexcept {
        return all_[place / length][place % length];
    }

    /// Appends a value-initialized element.
    Value& grow() {
        if (size_ == all_.size() * length) [[unlikely]] {
            add_block();
        }
        return (*this)[size_++];
    }

    /// The elements from this one on that stand side by side.
    [[nodiscard]] std::span<const Value> run_from(std::size_t place) const noexcept {
        return {&(*this)[place], std::min(length - place % length, size_ - place)};
    }

    void pop_back() { (*this)[--size_] = Value(); }

private:
    void add_block() { all_.push_back(std::make_unique<Value[]>(length)); }

    /// About a kilobyte, a power of two.
    static constexpr std::size_t length =
        std::bit_ceil(sizeof(Value) < 512 ? 1024 / sizeof(Value) / 2 + 1 : 2);

    std::vector<std::unique_ptr<Value[]>> all_;
    std::size_t size_ = 0;
};

} // namespace phoenix::crdt::detail
