// A vector whose only element, while there is one, needs no memory of its own: what deltas are made of.
//
// Making, moving and dropping one that holds at most one element costs a few instructions more than the element.
// References are valid until it changes.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace phoenix::crdt::detail {

template <std::default_initializable Value>
class one_or_many {
public:
    using value_type = Value;
    using iterator = Value*;
    using const_iterator = const Value*;

    one_or_many() = default;

    one_or_many(const one_or_many& other)
        : one_(other.one_), many_(other.many_ ? std::make_unique<list>(*other.many_) : nullptr),
          has_one_(other.has_one_) {}

    one_or_many(one_or_many&& other) noexcept
        : one_(std::move(other.one_)), many_(std::move(other.many_)),
          has_one_(std::exchange(other.has_one_, false)) {}

    one_or_many& operator=(const one_or_many& other) {
        if (this != &other) {
            *this = one_or_many(other);
        }
        return *this;
    }

    one_or_many& operator=(one_or_many&& other) noexcept {
        one_ = std::move(other.one_);
        many_ = std::move(other.many_);
        has_one_ = std::exchange(other.has_one_, false);
        return *this;
    }

    ~one_or_many() = default;

    [[nodiscard]] std::size_t size() const noexcept { return many_ ? many_->size() : has_one_; }

    [[nodiscard]] bool empty() const noexcept { return size() == 0; }

    [[nodiscard]] iterator begin() noexcept { return many_ ? many_->data() : &one_; }

    [[nodiscard]] const_iterator begin() const noexcept { return many_ ? many_->data() : &one_; }

    [[nodiscard]] iterator end() noexcept { return begin() + size(); }

    [[nodiscard]] const_iterator end() const noexcept { return begin() + size(); }

    /// The element that stands inside; null when there are none, or were several.
    [[nodiscard]] Value* only() noexcept { return has_one_ ? &one_ : nullptr; }

    [[nodiscard]] const Value* only() const noexcept { return has_one_ ? &one_ : nullptr; }

    [[nodiscard]] Value& operator[](std::size_t place) noexcept { return begin()[place]; }

    [[nodiscard]] const Value& operator[](std::size_t place) const noexcept { return begin()[place]; }

    [[nodiscard]] Value& front() noexcept { return *begin(); }

    [[nodiscard]] const Value& front() const noexcept { return *begin(); }

    [[nodiscard]] Value& back() noexcept { return end()[-1]; }

    [[nodiscard]] const Value& back() const noexcept { return end()[-1]; }

    /// Appends a value-initialized element.
    [[gnu::always_inline]] Value& grow() {
        if (!many_ && !has_one_) [[likely]] {
            has_one_ = true;
            return one_;
        }
        return grow_many();
    }

    void push_back(Value added) { grow() = std::move(added); }

    /// Up to so many elements come without an exception.
    void reserve(std::size_t elements) {
        if (elements > 1) {
            list& all = spread();
            if (all.capacity() < elements) {
                all.reserve(std::max(elements, 2 * all.capacity()));
            }
        }
    }

    void append(const one_or_many& added) {
        reserve(size() + added.size());
        for (const Value& each : added) {
            push_back(each);
        }
    }

    void insert(const_iterator before, Value added) {
        const auto place = before - begin();
        if (empty()) {
            push_back(std::move(added));
        } else {
            list& all = spread();
            all.insert(all.begin() + place, std::move(added));
        }
    }

    void erase(const_iterator from, const_iterator to) {
        if (many_) {
            many_->erase(many_->begin() + (from - begin()), many_->begin() + (to - begin()));
        } else if (from != to) {
            clear();
        }
    }

    void pop_back() { erase(end() - 1, end()); }

    void clear() noexcept {
        many_.reset();
        one_ = Value();
        has_one_ = false;
    }

private:
    using list = std::vector<Value>;

    [[gnu::noinline]] Value& grow_many() { return spread().emplace_back(); }

    /// All of them on the heap.
    [[nodiscard]] list& spread() {
        if (!many_) {
            auto made = std::make_unique<list>();
            made->reserve(4);
            if (has_one_) {
                made->push_back(std::move(one_));
                one_ = Value();
                has_one_ = false;
            }
            many_ = std::move(made);
        }
        return *many_;
    }

    Value one_{};
    std::unique_ptr<list> many_;
    bool has_one_ = false;
};

} // namespace phoenix::crdt::detail
