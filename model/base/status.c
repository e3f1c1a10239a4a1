#include "model/base/status.h"

#include "model/base/check.h"

const char *status_text(enum status status)
{
    switch (status) {
    case STATUS_OK: return "ok";
    case STATUS_HALTED: return "the process is dead";
    case STATUS_NOT_FOUND: return "not found";
    case STATUS_EXISTS: return "already exists";
    case STATUS_NO_SPACE: return "no space left";
    case STATUS_IO: return "input/output error";
    case STATUS_CORRUPT: return "damaged";
    case STATUS_INVALID: return "invalid";
    }
    CHECK_UNREACHABLE("a known status");
}
