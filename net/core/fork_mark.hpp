// Whether the process was forked since: what a loop has in the kernel is then shared with the parent, and is
// the parent's alone.
#pragma once

namespace phoenix::net::detail {

/// A page that the kernel wipes in a forked child. Throws std::system_error from the constructor.
class fork_mark {
public:
    fork_mark();
    ~fork_mark();

    fork_mark(const fork_mark&) = delete;
    fork_mark& operator=(const fork_mark&) = delete;

    /// False in a forked child. Any thread.
    [[nodiscard]] bool is_set() const noexcept { return *byte_ != 0; }

private:
    volatile char* byte_ = nullptr;
};

} // namespace phoenix::net::detail
