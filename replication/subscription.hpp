// Who is told of changes: callbacks for one object or for all, until their subscription ends.
//
//   subscription watching = changes.subscribe([](const change& seen) { ... seen.object ... });
//
// Told at the end of the turn in which objects changed, once for each object however often it did, in the order of their last
// changes. A callback may read and write objects and end subscriptions; what it throws is given to who delivers, and the
// others are told all the same. One thread.
#pragma once

#include <phoenix/replication/store/object_store.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <vector>

namespace phoenix::replication {

/// An object that changed in this turn.
struct change {
    const stored_object& object;
    /// This node's own writers changed it.
    bool here = false;
    /// A delta or a state that arrived did.
    bool elsewhere = false;
};

/// Ends with its destruction; may outlive who gave it.
class [[nodiscard]] subscription {
public:
    subscription() = default;

    [[nodiscard]] bool is_active() const noexcept { return callback_ != nullptr; }

    void end() noexcept { callback_.reset(); }

private:
    friend class change_feed;

    explicit subscription(std::shared_ptr<std::function<void(const change&)>> callback) noexcept
        : callback_(std::move(callback)) {}

    std::shared_ptr<std::function<void(const change&)>> callback_;
};

class change_feed {
public:
    using callback = std::function<void(const change&)>;

    /// Every object; of changes that were made here only where the caller wants those too.
    [[nodiscard]] subscription subscribe(callback told, bool also_here = true);

    /// One object, which may come to be later.
    [[nodiscard]] subscription subscribe(const object_type& type, std::string key, callback told);

    /// An object changed.
    void note(const stored_object& object, bool here);

    [[nodiscard]] bool empty() const noexcept { return seen_.empty(); }

    /// Tells everybody; calls failed(std::exception_ptr) for what a callback throws.
    template <class Failed>
    void deliver(Failed&& failed) {
        const std::vector<seen> all = take();
        for (const seen& each : all) {
            const change told{*each.object, each.here, each.elsewhere};
            // Those that come while this goes on are told of later changes.
            const std::uint64_t before = made_;
            for (auto at = subscribers_.begin(); at != subscribers_.end();) {
                const std::shared_ptr<callback> alive = at->told.lock();
                if (alive == nullptr) {
                    at = drop(at);
                    continue;
                }
                if (at->number <= before && at->wants(told)) {
                    try {
                        (*alive)(told);
                    } catch (...) {
                        failed(std::current_exception());
                    }
                }
                ++at;
            }
        }
    }

private:
    struct seen {
        const stored_object* object;
        bool here;
        bool elsewhere;
    };

    struct subscriber {
        std::uint64_t number;
        /// Null for every object.
        const object_type* type;
        std::string key;
        std::weak_ptr<callback> told;
        bool also_here;

        [[nodiscard]] bool wants(const change& seen) const noexcept {
            return (also_here || seen.elsewhere) &&
                   (type == nullptr || (type == &seen.object.type() && key == seen.object.key()));
        }
    };

    [[nodiscard]] subscription add(subscriber added, callback told);
    [[nodiscard]] std::list<subscriber>::iterator drop(std::list<subscriber>::iterator gone);

    /// What was noted, each object once.
    [[nodiscard]] std::vector<seen> take();

    std::list<subscriber> subscribers_;
    /// How many of them want changes that were made here.
    std::size_t local_subscribers_ = 0;
    std::uint64_t made_ = 0;
    std::vector<seen> seen_;
};

} // namespace phoenix::replication
