#define BOOST_TEST_MODULE phoenix.net
#include <boost/test/unit_test.hpp>
