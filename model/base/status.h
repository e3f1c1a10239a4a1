/* status.h - the one set of operating errors that calls in this project return.
 *
 * Programming errors are not here: they trip CHECK (check.h). Errors of a user (a bad scenario, a
 * bad input line) travel as a status plus one sentence. A code exists only if some caller
 * branches on it. */
#ifndef FAULTLINE_BASE_STATUS_H
#define FAULTLINE_BASE_STATUS_H

enum status {
    STATUS_OK = 0,
    STATUS_HALTED,    /* this process is dead: return at once, nothing has any effect any more */
    STATUS_NOT_FOUND, /* no such file, directory or entry */
    STATUS_EXISTS,    /* the name is taken */
    STATUS_NO_SPACE,  /* the volume is full; what was there before is unchanged */
    STATUS_IO,        /* the device failed; a retry may or may not help */
    STATUS_CORRUPT,   /* bytes were read, but they are not what was written */
    STATUS_INVALID,   /* a user's value cannot be used; a sentence says why */
};

/* The result must be looked at. */
#define MUST_USE __attribute__((warn_unused_result))

/* A short lower-case text for `status`, for messages. Static storage. */
const char *status_text(enum status status);

#endif
