#include <phoenix/codec/object_part.hpp>
#include <phoenix/replication/core/error.hpp>
#include <phoenix/replication/delta/delta_options.hpp>
#include <phoenix/replication/delta/part_assembly.hpp>

#include <string>

namespace phoenix::replication {

namespace {

void expect(bool holds, const char* field, const char* expected) {
    if (!holds) {
        throw_error(errc::invalid_options,
                    std::string("delta_options: expected ") + field + " to be " + expected);
    }
}

} // namespace

void delta_options::validate() const {
    frames.validate();
    expect(codec::part_bytes_max(frames.key_bytes_max, frames) >= part_bytes_min, "frames.key_bytes_max",
           "so much less than frames.frame_bytes_max that a part of an object fits beside the key");
    expect(buffer_bytes_max >= frames.frame_bytes_max, "buffer_bytes_max", "at least the size of a frame");
    expect(buffer_batches_max > 0, "buffer_batches_max", "at least 1");
    expect(window_bytes >= frames.frame_bytes_max, "window_bytes", "at least the size of a frame");
    expect(transfer_window_bytes > 0, "transfer_window_bytes", "at least 1");
    expect(batch_interval_max >= net::nanoseconds(0), "batch_interval_max", "no less than zero");
    expect(batch_objects_max > 0, "batch_objects_max", "at least 1");
    expect(report_interval >= net::nanoseconds(0), "report_interval", "no less than zero");
    expect(forward_delay >= report_interval, "forward_delay", "at least report_interval");
    expect(retell_interval > net::nanoseconds(0), "retell_interval", "more than zero");
    expect(nodes_max > 0, "nodes_max", "at least 1");
    expect(origins_max > 0, "origins_max", "at least 1");
    expect(incarnation_ahead_max > net::nanoseconds(0), "incarnation_ahead_max", "more than zero");
    expect(stall_max > forward_delay, "stall_max", "more than forward_delay");
}

} // namespace phoenix::replication
