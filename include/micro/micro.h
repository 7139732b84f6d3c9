#pragma once

/// The whole of micro, for programs that use it.

#include "micro/broker.h"       // IWYU pragma: export
#include "micro/client.h"       // IWYU pragma: export
#include "micro/compression.h"  // IWYU pragma: export
#include "micro/context.h"      // IWYU pragma: export
#include "micro/duration.h"     // IWYU pragma: export
#include "micro/error.h"        // IWYU pragma: export
#include "micro/events.h"       // IWYU pragma: export
#include "micro/handler.h"      // IWYU pragma: export
#include "micro/health.h"       // IWYU pragma: export
#include "micro/logger.h"       // IWYU pragma: export
#include "micro/metadata.h"     // IWYU pragma: export
#include "micro/metrics.h"      // IWYU pragma: export
#include "micro/middleware.h"   // IWYU pragma: export
#include "micro/node_filter.h"  // IWYU pragma: export
#include "micro/options.h"      // IWYU pragma: export
#include "micro/plugins.h"      // IWYU pragma: export
#include "micro/pubsub.h"       // IWYU pragma: export
#include "micro/registry.h"     // IWYU pragma: export
#include "micro/runtime.h"      // IWYU pragma: export
#include "micro/selector.h"     // IWYU pragma: export
#include "micro/service.h"      // IWYU pragma: export
#include "micro/stream.h"       // IWYU pragma: export
#include "micro/task.h"         // IWYU pragma: export
#include "micro/trace.h"        // IWYU pragma: export
#include "micro/version.h"      // IWYU pragma: export
