// Every message there is.
//
//   switch (received.kind()) {
//   case frame_kind::ping: return answer(decode<ping>(received, bounds));
//   case frame_kind::batch: return join(batch_view::read(received.payload(), bounds));
//   ...
//   }
#pragma once

#include <phoenix/codec/batch.hpp>
#include <phoenix/codec/delta_messages.hpp>
#include <phoenix/codec/object_part.hpp>
#include <phoenix/codec/session_messages.hpp>
