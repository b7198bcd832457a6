// What nearly every test of this folder includes, compiled once.
#include <phoenix/codec/messages.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>
