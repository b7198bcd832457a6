#define BOOST_TEST_MODULE phoenix.crdt
#include <boost/test/unit_test.hpp>
