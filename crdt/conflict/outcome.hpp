// What became of a conflict: resolved with a result, or not, and why.
//
//   if (const outcome<resolution<std::string>> found = resolve(about, last_writer<std::string>())) {
//       use(found.result().value);
//   } else {
//       log(found.why());                            // "queued as number 3 of the manual queue"
//   }
//
// An unresolved conflict is no error: the siblings stay as they are, and nobody's write is lost. Any thread;
// a value.
#pragma once

#include <phoenix/config.hpp>

#include <optional>
#include <string>
#include <utility>

namespace phoenix::crdt::conflict {

template <class Result>
class [[nodiscard]] outcome {
public:
    static outcome resolved(Result result, std::string why) {
        outcome made(std::move(why));
        made.result_.emplace(std::move(result));
        return made;
    }

    static outcome unresolved(std::string why) { return outcome(std::move(why)); }

    [[nodiscard]] bool is_resolved() const noexcept { return result_.has_value(); }

    [[nodiscard]] explicit operator bool() const noexcept { return is_resolved(); }

    /// Only of a resolved one.
    [[nodiscard]] const Result& result() const& {
        PHOENIX_ASSERT(result_, "only a resolved outcome has a result: ask is_resolved() first");
        return *result_;
    }

    [[nodiscard]] Result result() && {
        PHOENIX_ASSERT(result_, "only a resolved outcome has a result: ask is_resolved() first");
        return *std::move(result_);
    }

    /// One line for people: the rule that decided, or what stood in the way.
    [[nodiscard]] const std::string& why() const noexcept { return why_; }

private:
    explicit outcome(std::string why) : why_(std::move(why)) {}

    std::optional<Result> result_;
    std::string why_;
};

} // namespace phoenix::crdt::conflict
