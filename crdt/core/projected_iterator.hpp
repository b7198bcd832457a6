// A forward iterator that shows some of a container's entries, in another shape: it holds nothing but a place, and what
// the shape needs.
#pragma once

#include <concepts>
#include <cstddef>
#include <iterator>
#include <type_traits>
#include <utility>

namespace phoenix::crdt::detail {

/// `shape.wanted(entry)` says whether an entry is shown, `shape.show(entry)` what of it.
template <std::forward_iterator Base, std::semiregular Shape>
class projected_iterator {
public:
    using reference = decltype(std::declval<const Shape&>().show(*std::declval<const Base&>()));
    using value_type = std::remove_cvref_t<reference>;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::forward_iterator_tag;
    using iterator_category = std::input_iterator_tag;

    projected_iterator() = default;

    projected_iterator(Base at, Base end, Shape shape = {}) : at_(at), end_(end), shape_(shape) { skip(); }

    [[nodiscard]] reference operator*() const { return shape_.show(*at_); }

    [[nodiscard]] auto operator->() const {
        if constexpr (std::is_lvalue_reference_v<reference>) {
            return &**this;
        } else {
            return shown{**this};
        }
    }

    projected_iterator& operator++() {
        ++at_;
        skip();
        return *this;
    }

    projected_iterator operator++(int) {
        projected_iterator before = *this;
        ++*this;
        return before;
    }

    friend bool operator==(const projected_iterator& a, const projected_iterator& b) {
        return a.at_ == b.at_;
    }

private:
    /// What is made to be shown, for as long as it is pointed at.
    struct shown {
        value_type value;

        [[nodiscard]] const value_type* operator->() const noexcept { return &value; }
    };

    void skip() {
        while (at_ != end_ && !shape_.wanted(*at_)) {
            ++at_;
        }
    }

    Base at_{};
    Base end_{};
    [[no_unique_address]] Shape shape_{};
};

} // namespace phoenix::crdt::detail
