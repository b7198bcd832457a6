#include <phoenix/net/detail/require_option.hpp>
#include <phoenix/net/loop_options.hpp>

namespace phoenix::net {

void loop_options::validate() const {
    constexpr std::string_view owner = "loop_options";
    log.validate();
    detail::require_option_in_range(owner, "post_capacity", post_capacity, 2, std::size_t{1} << 20);
    detail::require_option_in_range(owner, "inline_budget", inline_budget, 1, 1'000'000);
    detail::require_option_in_range(owner, "receive_buffers", receive_buffers, 2, 32'768);
    detail::require_option_is_power_of_two(owner, "receive_buffers", receive_buffers);
    detail::require_option_in_range(owner, "receive_buffer_bytes", receive_buffer_bytes, 1024, 1 << 20);
    detail::require_option_in_range(owner, "write_block_bytes", write_block_bytes, 1024, 1 << 20);
    detail::require_option_in_range(owner, "ring_entries", ring_entries, 8, 32'768);
}

} // namespace phoenix::net
