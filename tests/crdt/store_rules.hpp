// What stores mean under the keys and fields of others, to any depth, as rules over the calls that a replica
// has seen (causal_history.hpp). Places are told by the keys and fields that lead to them; a removal is
// noted with the leaves that its caller saw below it.
#pragma once

#include "causal_history.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace phoenix::crdt::testing {

using place = std::vector<std::uint64_t>;

/// The text of each leaf that has something to read.
using reading = std::map<place, std::string>;

struct placed_call {
    /// `say` and `unsay` are the two calls of a leaf (add and remove, write and clear, ...), `reset` is for
    /// leaves, maps and records, `remove` for the key that its place ends with.
    enum class kind : std::uint8_t { say, unsay, reset, remove };

    kind what;
    place where;
    std::uint64_t value;
    /// Of a reset or a removal: the leaves that were reset.
    std::set<place> taken;
};

using placed_calls = causal_history<placed_call>;

/// All that was said about one leaf.
struct words {
    struct word {
        placed_call::kind what;
        std::uint64_t value;
        replica_id by;
        std::vector<std::size_t> answers; ///< the earlier of these words that its writer had seen
    };

    std::vector<word> all;
    std::vector<std::size_t> events;

    /// Those that say `what` and that no word of which answers(word, it) holds had seen.
    template <class Answers>
    [[nodiscard]] std::vector<const word*> standing(placed_call::kind what, Answers&& answers) const {
        std::vector<const word*> found;
        for (std::size_t i = 0; i < all.size(); ++i) {
            bool stands = all[i].what == what;
            for (const word& later : all) {
                for (const std::size_t earlier : later.answers) {
                    stands = stands && !(earlier == i && answers(later, all[i]));
                }
            }
            if (stands) {
                found.push_back(&all[i]);
            }
        }
        return found;
    }
};

/// What a leaf reads as: nothing when there is nothing to read.
using rule = std::string (*)(const words&);

[[nodiscard]] std::string add_wins(const words& said);
[[nodiscard]] std::string remove_wins(const words& said);
[[nodiscard]] std::string enable_wins(const words& said);
[[nodiscard]] std::string disable_wins(const words& said);
[[nodiscard]] std::string all_writes_stand(const words& said);
[[nodiscard]] std::string last_write_is_seen(const words& said);
[[nodiscard]] std::string counts_what_no_reset_saw(const words& said);

/// When a value is written to a register that keeps the last.
[[nodiscard]] constexpr std::uint64_t time_of(std::uint64_t value) {
    return value % 3;
}

/// A leaf, which has a rule; a map, which has keys; or a record, which has neither.
struct shape {
    rule leaf = nullptr;
    std::uint64_t keys = 0;
    std::vector<shape> below;

    [[nodiscard]] const shape& at(const place& where, std::size_t depth) const;
};

/// The state of a type, told by places.
class any_state {
public:
    virtual ~any_state() = default;

    [[nodiscard]] virtual std::unique_ptr<any_state> clone() const = 0;
    virtual void join(const any_state& theirs) = 0;
    /// Returns the delta.
    [[nodiscard]] virtual std::unique_ptr<any_state> change(const replica_id& here,
                                                            const placed_call& call) = 0;
    [[nodiscard]] virtual reading read() const = 0;
};

/// Random histories of states that begin as `bottom`.
void agrees_with_the_rules(const shape& root, const any_state& bottom);

} // namespace phoenix::crdt::testing
