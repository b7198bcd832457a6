#include <phoenix/net/core/fork_mark.hpp>
#include <phoenix/net/error.hpp>

#include <cerrno>
#include <cstddef>

#include <sys/mman.h>
#include <unistd.h>

namespace phoenix::net::detail {

namespace {

std::size_t page_bytes() noexcept {
    return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

} // namespace

fork_mark::fork_mark() {
    void* const page =
        ::mmap(nullptr, page_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        throw_error(make_error(errno), "memory for a loop");
    }
    if (::madvise(page, page_bytes(), MADV_WIPEONFORK) != 0) {
        const int error = errno;
        ::munmap(page, page_bytes());
        throw_error(make_error(error), "memory for a loop");
    }
    byte_ = static_cast<volatile char*>(page);
    *byte_ = 1;
}

fork_mark::~fork_mark() {
    ::munmap(const_cast<char*>(byte_), page_bytes());
}

} // namespace phoenix::net::detail
