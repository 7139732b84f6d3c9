// Asio's own code, compiled here once: everything else is built with
// BOOST_ASIO_SEPARATE_COMPILATION.
#include <boost/asio/impl/src.hpp>
