#include <phoenix/net/detail/require_option.hpp>
#include <phoenix/net/file_options.hpp>

#include <string>
#include <string_view>

namespace phoenix::net {

void file_options::validate() const {
    constexpr std::string_view owner = "file_options";
    if (access > file_access::read_write) {
        detail::refuse_option(owner, "access", std::to_string(static_cast<int>(access)),
                              "read_only or read_write");
    }
    if (creation > file_creation::always) {
        detail::refuse_option(owner, "creation", std::to_string(static_cast<int>(creation)),
                              "never to always");
    }
    if (creation != file_creation::never && access != file_access::read_write) {
        detail::refuse_option(owner, "creation", "to make a file that is only read", "access read_write");
    }
    if (truncate && access != file_access::read_write) {
        detail::refuse_option(owner, "truncate", "true for a file that is only read", "access read_write");
    }
    constexpr std::uint32_t permissions_max = 0777;
    detail::require_option_in_range(owner, "permissions", permissions, 0, permissions_max);
}

} // namespace phoenix::net
