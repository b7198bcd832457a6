// A store that takes memory of its own only once something stands in it: a pointer until then.
//
//   struct page {
//       causal_register_store<std::string> title;
//       boxed_store<or_set_store<std::string>> tags;              // most pages have none
//       static constexpr auto fields() {
//           return std::tuple(field("title", &page::title), field("tags", &page::tags));
//       }
//   };
//   composite<page> home;
//   home.update(here, &page::tags, [](auto&& tags) { tags.add("news"); });
//   home.at(&page::tags).contains("news");
//
// It reads, changes and is written as the store in it: the bytes are the same, so that boxing a field changes no format.
// For composites of which there are many with few fields in use. Any thread; a value.
#pragma once

#include <phoenix/crdt/core/causal_edit.hpp>
#include <phoenix/crdt/core/dot_store.hpp>
#include <phoenix/crdt/core/store_members.hpp>
#include <phoenix/crdt/core/store_view.hpp>
#include <phoenix/crdt/explain.hpp>

#include <memory>
#include <utility>

namespace phoenix::crdt {

template <detail::dot_store Store>
class boxed_store {
public:
    using operation = typename Store::operation;

    /// The editor of the store in it.
    class editor : public Store::editor {
    public:
        editor(boxed_store& mine, boxed_store& delta, detail::causal_edit& edit)
            : Store::editor(mine.filled(), delta.filled(), edit) {}
    };

    boxed_store() = default;

    boxed_store(const boxed_store& other)
        : box_(other.box_ != nullptr ? std::make_unique<Store>(*other.box_) : nullptr) {}

    boxed_store(boxed_store&&) noexcept = default;

    boxed_store& operator=(const boxed_store& other) {
        *this = boxed_store(other);
        return *this;
    }

    boxed_store& operator=(boxed_store&&) noexcept = default;
    ~boxed_store() = default;

    /// What stands in it.
    [[nodiscard]] const Store& get() const noexcept {
        static const Store nothing;
        return box_ != nullptr ? *box_ : nothing;
    }

    [[nodiscard]] bool empty() const noexcept { return box_ == nullptr || box_->empty(); }

    [[nodiscard]] bool is_present() const noexcept { return box_ != nullptr && detail::is_present(*box_); }

    template <class Visitor>
    void for_each_dot(Visitor&& visit) const {
        if (box_ != nullptr) {
            box_->for_each_dot(std::forward<Visitor>(visit));
        }
    }

    void join(const boxed_store& theirs, const detail::join_scope& scope, detail::dot_changes& changes) {
        if (box_ == nullptr && theirs.empty()) {
            return;
        }
        filled().join(theirs.get(), scope, changes);
        if (box_->empty()) {
            box_.reset();
        }
    }

    void clear(detail::dot_changes& changes) {
        if (box_ != nullptr) {
            box_->clear(changes);
            box_.reset();
        }
    }

    [[nodiscard]] boxed_store restricted(const detail::slot_map& slots, const causal_context& wanted) const {
        return box_ != nullptr ? boxed_store(box_->restricted(slots, wanted)) : boxed_store();
    }

    [[nodiscard]] bool equals(const boxed_store& theirs, const detail::slot_map& slots) const {
        return get().equals(theirs.get(), slots);
    }

    void write(byte_writer& out, const detail::slot_ranks& ranks) const { get().write(out, ranks); }

    [[nodiscard]] static boxed_store read(byte_reader& in, const causal_context& context) {
        return boxed_store(Store::read(in, context));
    }

    void explain(explanation& facts, const causal_context& context) const {
        if (box_ != nullptr) {
            box_->explain(facts, context);
        }
    }

private:
    explicit boxed_store(Store&& store)
        : box_(store.empty() ? nullptr : std::make_unique<Store>(std::move(store))) {}

    [[nodiscard]] Store& filled() {
        if (box_ == nullptr) {
            box_ = std::make_unique<Store>();
        }
        return *box_;
    }

    std::unique_ptr<Store> box_;
};

namespace detail {

/// A reader sees what is in the box.
template <class Store>
struct seen<boxed_store<Store>> {
    using type = typename seen<Store>::type;
    using pointer = typename seen<Store>::pointer;

    [[nodiscard]] static type show(const boxed_store<Store>& store, const causal_context& context) noexcept {
        return seen<Store>::show(store.get(), context);
    }

    [[nodiscard]] static pointer point(const boxed_store<Store>* store,
                                       const causal_context& context) noexcept {
        return seen<Store>::point(store != nullptr ? &store->get() : nullptr, context);
    }
};

} // namespace detail

} // namespace phoenix::crdt
