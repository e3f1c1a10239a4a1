/* source.h - the head of the first vertex: reads its share of the input and can go back.
 *
 * The input is cut into splits, as many at every parallelism of the job: it is they that are dealt
 * out to the subtasks, and dealt out anew when the parallelism changes. A file is cut into equal
 * byte ranges; a split holds the lines that start in its range. Of generated records split i holds
 * the numbers i, i + splits, ... Lines end with LF; a CR before it is cut; a last line without LF
 * counts. A subtask reads the split whose next record has the lowest number; one without any split
 * is at its end at once. A file that grows is one split, and read as far as its last LF until it is
 * whole. Of an input that is open a source that has read all waits for the word that it is whole.
 *
 * Its state (operator 0 of the chain) is the operator state "splits", STATE_SPLIT, with one item a
 * split: u32 index, u64 position - the byte offset of the next unread line, or how many records of
 * its own were generated -, u64 records emitted, u64 bad records skipped. */
#ifndef FAULTLINE_STREAM_SOURCE_H
#define FAULTLINE_STREAM_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/stream/operator.h"

struct source;

/* Of the operator; NULL: all zero. */
struct source_parameters {
    bool gives_numbers; /* pipeline_number_source */
};

enum source_state {
    SOURCE_MORE, /* call again when there is room for output */
    SOURCE_WAIT, /* the next record is not due before source_due_ns, or has not come yet */
    SOURCE_END,  /* all of its splits are read to their ends */
};

/* Emits up to `limit` records that are due at `now_ns` and returns how many; `*state` says what
 * follows. Stops early when the chain has failed (context->failure). */
uint32_t source_pull(struct source *source, uint32_t limit, uint64_t now_ns,
                     enum source_state *state);

/* When the next record is due; 0 if no rate limits the input, or if there is none. */
uint64_t source_due_ns(const struct source *source);

/* How many records of its splits were emitted, over all attempts. */
uint64_t source_records(const struct source *source);

/* Takes all splits from the source: a subtask that had finished is restored. */
void source_skip_to_end(struct source *source);

/* The record being emitted is a bad one that is left out. */
void source_note_skipped(struct source *source);

/* Appends the place of the record being emitted: FILE:LINE, "record N of FILE", or "record N". */
void source_describe_place(const struct source *source, struct buffer *out);

#endif
