/* verdict.h - what a run came to, as a short text for a person: what ran, what broke and when, how
 * it recovered, what was compared, and whether it is right.
 *
 * Plain ASCII, lines of about 100 columns, about 30 of them: long lists are cut, result.json has
 * them whole. */
#ifndef FAULTLINE_SIM_VERDICT_H
#define FAULTLINE_SIM_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "sim/campaign/run.h"

/* All is borrowed. */
struct verdict_view {
    const struct run *run;
    const struct violation *violations; /* of the run's oracle */
    uint32_t violation_count;
    const char *replay;   /* the command that runs the same again; NULL: none */
    bool verified;        /* a second run was made ... */
    uint64_t second_hash; /* ... with this trace hash */
    bool colour;          /* with the escape codes of a terminal */
};

/* Appends the whole text. */
void verdict_write(const struct verdict_view *view, struct buffer *out);

/* Appends one line: the word, the scenario, and the first thing that is wrong. */
void verdict_write_line(const struct verdict_view *view, struct buffer *out);

/* "PASS", "WRONG", "NOT FIRED" ...: the verdict in capitals. Static storage. */
const char *verdict_word(enum verdict verdict);

/* Which of two verdicts a command that ran several scenarios ends with. From the worst: wrong, not
 * deterministic, stuck, not fired, surroundings, bad usage, pass. */
enum verdict verdict_worse(enum verdict a, enum verdict b);

/* What it comes to that a command could not begin, or not end. A file that was read, and is not
 * what it is to be, is a mistake of whoever named it; one that is missing or cannot be read or
 * written is a lack of the surroundings, whatever named it and whatever it is for. OK: PASS. */
enum verdict verdict_of_status(enum status status);

#endif
