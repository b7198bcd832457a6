// Which origins of a version vector changed lately, so that who was told of it before is told of those alone.
//
//   changes.note(origin);
//   if (const auto since = changes.since(told)) { ... }     // otherwise all of it may have changed
//   told = changes.count();
//
// One thread.
#pragma once

#include <phoenix/crdt/replica.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace phoenix::replication {

class change_log {
public:
    /// How many changes there were.
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

    void note(const crdt::replica_id& origin) {
        recent_.push_back(origin);
        ++count_;
        if (recent_.size() > kept) {
            recent_.pop_front();
        }
    }

    /// All of it may have changed.
    void forget() noexcept {
        recent_.clear();
        ++count_;
    }

    /// The origins that changed after the first `seen` changes, in order, each once; none when that is not known any more.
    [[nodiscard]] std::optional<std::vector<crdt::replica_id>> since(std::uint64_t seen) const {
        const std::uint64_t news = count_ - seen;
        if (news > recent_.size()) {
            return std::nullopt;
        }
        std::vector<crdt::replica_id> changed(recent_.end() - static_cast<std::ptrdiff_t>(news),
                                              recent_.end());
        std::ranges::sort(changed);
        changed.erase(std::ranges::unique(changed).begin(), changed.end());
        return changed;
    }

private:
    static constexpr std::size_t kept = 128;

    std::deque<crdt::replica_id> recent_;
    /// What was never told of is not known: 0 is before everything.
    std::uint64_t count_ = 1;
};

} // namespace phoenix::replication
