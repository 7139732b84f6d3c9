#pragma once

#include "net/dns/message.h"

/// What multicast DNS takes from DNS.
namespace micro::mdns {

using dns::A;
using dns::Aaaa;
using dns::Build;
using dns::kClassIn;
using dns::kClassTopBit;
using dns::kFlagAuthoritative;
using dns::kFlagResponse;
using dns::kOpcodeMask;
using dns::Message;
using dns::Name;
using dns::Opaque;
using dns::Parse;
using dns::Ptr;
using dns::Question;
using dns::Record;
using dns::RecordData;
using dns::Srv;
using dns::Txt;
using dns::Type;

}  // namespace micro::mdns
