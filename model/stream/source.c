#include "model/stream/source.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/base/text.h"
#include "model/stream/operator_state.h"

__extension__ typedef unsigned __int128 wide;

enum {
    CHUNK_BYTES = 256 * 1024, /* how much of the file one read brings */
    TAIL_BYTES = 4 * 1024,    /* ... when its last line feed is looked for */
    NS_PER_S = 1000000000,
};

/* A piece of the input; only its owner reads it. */
struct split {
    uint32_t index;    /* 0..split_count-1 of the context */
    uint64_t position; /* FILE: offset of the next unread line; GENERATOR: records made so far */
    uint64_t end;      /* FILE: lines that start here are another's; GENERATOR: records in all */
    uint64_t records;  /* emitted so far, over all attempts */
    uint64_t skipped;  /* of those, bad ones that were left out */
    uint8_t *chunk;    /* the file's bytes from chunk_start on */
    size_t chunk_size;
    size_t chunk_capacity;
    uint64_t chunk_start;
};

struct source {
    struct operator_context *context;
    const struct input_config *input;
    struct collector *out;
    struct split *splits;  /* those it owns */
    uint32_t split_count;  /* ... may be none */
    struct split *current; /* of the record being emitted, or the last one */
    uint64_t place;        /* FILE: offset of the line being emitted; GENERATOR: its number */
    file_id file;
    uint64_t file_size; /* of one that grows: where its last whole line ends, as far as is known */
    bool is_open; /* there may be more, or the word is to come that there is not */
    bool gives_numbers;
    struct operator_states *states; /* what a snapshot writes */
};

/* Makes the bytes at `position` present, at least `wanted` of them unless the file ends. */
static bool load_chunk(struct source *source, struct split *split, uint64_t position, size_t wanted)
{
    struct host *host = source->context->host;
    split->chunk = arena_grow(host->arena, split->chunk, &split->chunk_capacity, wanted, 1);
    size_t got = 0;
    enum status status = host_file_read(host, source->file, position, split->chunk, wanted, &got);
    if (!operator_check(source->context, status, source->input->label)) {
        return false;
    }
    split->chunk_start = position;
    split->chunk_size = got;
    return true;
}

/* The line that starts at `position`, without its end; `*next` is where the following one starts.
 * False if reading failed. */
static bool read_line(struct source *source, struct split *split, uint64_t position,
                      struct bytes *line, uint64_t *next)
{
    CHECK(position < source->file_size);
    for (;;) {
        uint64_t chunk_end = split->chunk_start + split->chunk_size;
        if (position >= split->chunk_start && position < chunk_end) {
            const uint8_t *start = split->chunk + (position - split->chunk_start);
            size_t available = (size_t)(chunk_end - position);
            const uint8_t *feed = memchr(start, '\n', available);
            if (feed != NULL || chunk_end == source->file_size) {
                size_t size = feed != NULL ? (size_t)(feed - start) : available;
                *next = position + size + (feed != NULL ? 1 : 0);
                if (size > 0 && start[size - 1] == '\r') {
                    size--;
                }
                *line = (struct bytes){ .data = start, .size = size };
                return true;
            }
        }
        /* The line runs on behind the chunk: read on from its start, more each time. */
        size_t wanted = CHUNK_BYTES;
        if (position == split->chunk_start && split->chunk_size > 0) {
            wanted = split->chunk_size * 2;
        }
        uint64_t left = source->file_size - position;
        if (!load_chunk(source, split, position, left < wanted ? (size_t)left : wanted)) {
            return false;
        }
        if (split->chunk_size == 0) {
            (void)operator_check(source->context, STATUS_IO, source->input->label);
            return false;
        }
    }
}

static void open_file(struct source *source)
{
    struct operator_context *context = source->context;
    enum status status = host_file_open(context->host, HOST_SHARED, source->input->file, HOST_READ,
                                        &source->file);
    if (status == STATUS_NOT_FOUND) {
        struct buffer why;
        buffer_init(&why, context->host->arena);
        buffer_append_format(&why, "%s: the input file is not there", source->input->label);
        *buffer_extend(&why, 1) = '\0';
        operator_fail(context, true, (const char *)why.data);
        return;
    }
    bool grows = source->input->grows;
    CHECK(!grows || (context->split_count == 1 && source->is_open));
    if (operator_check(context, status, source->input->label) && !grows) {
        (void)operator_check(context,
                             host_file_size(context->host, source->file, &source->file_size),
                             source->input->label);
    }
}

/* Where the last line ends that ends with a line feed before `size`; `start` if none does. False if
 * reading failed. */
static bool find_last_end(const struct source *source, uint64_t start, uint64_t size, uint64_t *end)
{
    uint8_t tail[TAIL_BYTES];
    for (*end = size; *end > start;) {
        size_t wanted = *end - start < TAIL_BYTES ? (size_t)(*end - start) : TAIL_BYTES;
        size_t got = 0;
        enum status status =
            host_file_read(source->context->host, source->file, *end - wanted, tail, wanted, &got);
        if (!operator_check(source->context, status, source->input->label)) {
            return false;
        }
        const uint8_t *feed = memrchr(tail, '\n', got);
        if (feed != NULL) {
            *end -= wanted - (size_t)(feed - tail) - 1;
            return true;
        }
        *end -= wanted;
    }
    return true;
}

/* Takes in what has come to a file that grows; all of it, once it is whole. */
static void take_growth(struct source *source, struct split *split, bool is_whole)
{
    uint64_t size = 0;
    enum status status = host_file_size(source->context->host, source->file, &size);
    if (!operator_check(source->context, status, source->input->label)) {
        return;
    }
    CHECK(size >= split->position);
    if (is_whole || find_last_end(source, split->position, size, &size)) {
        source->file_size = size;
        split->end = size;
        source->is_open = !is_whole;
    }
}

/* Whether the input is whole is asked before its size: then that is the last. Where nobody can tell
 * now, it is asked again. */
static void look_for_more(struct source *source)
{
    struct host *host = source->context->host;
    file_id mark;
    enum status status =
        host_file_open(host, HOST_SHARED, source->input->open_until, HOST_READ, &mark);
    bool is_whole = status == STATUS_OK;
    if (is_whole) {
        host_file_close(host, mark);
    }
    if (source->input->grows) {
        take_growth(source, &source->splits[0], is_whole);
    } else {
        source->is_open = !is_whole;
    }
}

static void *source_open(struct operator_context *context, const void *parameters,
                         struct collector *out)
{
    CHECK(context->split_count > 0);
    const struct source_parameters *given = parameters;
    struct source *source = arena_alloc(context->host->arena, 1, sizeof *source);
    *source = (struct source){ .context = context,
                               .input = context->input,
                               .out = out,
                               .is_open = context->input->open_until != NULL,
                               .gives_numbers = given != NULL && given->gives_numbers };
    source->states = operator_states_create(context->host->arena);
    context->source = source;
    if (source->input->kind == INPUT_FILE) {
        open_file(source);
    }
    return source;
}

/* Split number `index` as nobody has read of it yet. */
static struct split whole_split(const struct source *source, uint32_t index)
{
    uint32_t count = source->context->split_count;
    uint64_t records = source->input->records;
    CHECK(index < count);
    struct split split = { .index = index };
    if (source->input->kind == INPUT_FILE) {
        split.position = (uint64_t)((wide)source->file_size * index / count);
        split.end = (uint64_t)((wide)source->file_size * ((uint64_t)index + 1) / count);
    } else if (records > index) {
        split.end = (records - index - 1) / count + 1;
    }
    return split;
}

/* A share begins with the first line that starts in it: the line that runs into it is another's. */
static void seek_first_line(struct source *source, struct split *split)
{
    if (split->position == 0 || split->position >= source->file_size) {
        return;
    }
    struct bytes line;
    uint64_t next;
    if (read_line(source, split, split->position - 1, &line, &next)) {
        split->position = next;
    }
}

/* A job that begins deals its splits as a restore does (operator_state.h). */
static void take_first_splits(struct source *source)
{
    const struct operator_context *context = source->context;
    uint32_t each = context->split_count / context->parallelism;
    uint32_t extra = context->split_count % context->parallelism;
    uint32_t before = context->subtask < extra ? context->subtask : extra;
    uint32_t first = context->subtask * each + before;
    source->split_count = each + (context->subtask < extra);
    source->splits = arena_alloc(context->host->arena, source->split_count, sizeof *source->splits);
    for (uint32_t i = 0; i < source->split_count; i++) {
        source->splits[i] = whole_split(source, first + i);
        if (source->input->kind == INPUT_FILE) {
            seek_first_line(source, &source->splits[i]);
        }
    }
}

static struct operator_state *splits_state(const struct source *source)
{
    return operator_states_declare(source->states, "splits", STATE_SPLIT);
}

static enum status restore_split(const struct source *source, struct bytes item,
                                 struct split *split)
{
    struct decoder decoder;
    decoder_init(&decoder, item);
    uint32_t index = decode_u32(&decoder);
    if (decoder.failed || index >= source->context->split_count) {
        return STATUS_CORRUPT;
    }
    *split = whole_split(source, index);
    split->position = decode_u64(&decoder);
    split->records = decode_u64(&decoder);
    split->skipped = decode_u64(&decoder);
    return decoder_finish(&decoder);
}

static enum status source_restore(void *self, struct bytes state)
{
    struct source *source = self;
    if (state.size == 0) {
        take_first_splits(source);
        return STATUS_OK;
    }
    enum status status = operator_states_restore(source->states, state);
    if (status != STATUS_OK) {
        return status;
    }
    const struct operator_state *items = splits_state(source);
    source->split_count = operator_state_count(items);
    source->splits =
        arena_alloc(source->context->host->arena, source->split_count, sizeof *source->splits);
    for (uint32_t i = 0; i < source->split_count && status == STATUS_OK; i++) {
        status = restore_split(source, operator_state_item(items, i), &source->splits[i]);
    }
    return status;
}

static void source_snapshot(void *self, uint64_t checkpoint, struct buffer *out)
{
    (void)checkpoint;
    const struct source *source = self;
    struct operator_state *items = splits_state(source);
    struct buffer item;
    buffer_init(&item, source->context->host->arena);
    operator_state_clear(items);
    for (uint32_t i = 0; i < source->split_count; i++) {
        const struct split *split = &source->splits[i];
        buffer_reset(&item);
        encode_u32(&item, split->index);
        encode_u64(&item, split->position);
        encode_u64(&item, split->records);
        encode_u64(&item, split->skipped);
        operator_state_add(items, buffer_bytes(&item));
    }
    operator_states_snapshot(source->states, out);
    buffer_free(&item);
}

void source_skip_to_end(struct source *source)
{
    source->split_count = 0;
}

void source_note_skipped(struct source *source)
{
    CHECK(source->current != NULL);
    source->current->skipped++;
}

/* What the clock would show if bursts were not faster, but longer. */
static uint64_t stretched_ns(const struct input_config *input, uint64_t now_ns)
{
    uint64_t sum_ns = now_ns;
    for (uint32_t i = 0; i < input->burst_count; i++) {
        const struct input_burst *burst = &input->bursts[i];
        uint64_t end_ns = now_ns < burst->until_ns ? now_ns : burst->until_ns;
        if (end_ns > burst->from_ns) {
            sum_ns += (uint64_t)((wide)(end_ns - burst->from_ns) *
                                 (burst->factor_ppm - 1000000) / 1000000);
        }
    }
    return sum_ns;
}

/* The first moment at which stretched_ns reaches `wanted_ns`: it rises, so halving finds it. */
static uint64_t unstretched_ns(const struct input_config *input, uint64_t wanted_ns)
{
    uint64_t low_ns = 0;
    uint64_t high_ns = wanted_ns;
    while (low_ns < high_ns) {
        uint64_t middle_ns = low_ns + (high_ns - low_ns) / 2;
        if (stretched_ns(input, middle_ns) < wanted_ns) {
            low_ns = middle_ns + 1;
        } else {
            high_ns = middle_ns;
        }
    }
    return low_ns;
}

/* (`a` * `b` + `c`) / `divisor`, rounded down; fits 64 bits. The sum nearly always does, too, and
 * then the division takes a fifth of the time. */
static uint64_t multiply_divide(uint64_t a, uint64_t b, uint64_t c, uint64_t divisor)
{
    uint64_t sum;
    if (__builtin_mul_overflow(a, b, &sum) || __builtin_add_overflow(sum, c, &sum)) {
        return (uint64_t)(((wide)a * b + c) / divisor);
    }
    return sum / divisor;
}

/* The records with a number below this one are due at `now_ns`. */
static uint64_t due_numbers(const struct source *source, uint64_t now_ns)
{
    uint64_t rate = source->input->rate_per_s;
    if (rate == 0) {
        return UINT64_MAX;
    }
    if (source->input->burst_count > 0) {
        now_ns = stretched_ns(source->input, now_ns);
    }
    return multiply_divide(now_ns, rate, 0, NS_PER_S) + 1;
}

/* The number of the next record of `split` (input.h). */
static uint64_t next_number(const struct source *source, const struct split *split)
{
    return split->records * source->context->split_count + split->index;
}

/* The split whose next record has the lowest number, so that splits that stand at different places
 * come together again; NULL: all are read to their ends. */
static struct split *next_split(const struct source *source)
{
    struct split *next = NULL;
    for (uint32_t i = 0; i < source->split_count; i++) {
        struct split *split = &source->splits[i];
        if (split->position < split->end &&
            (next == NULL || next_number(source, split) < next_number(source, next))) {
            next = split;
        }
    }
    return next;
}

uint64_t source_due_ns(const struct source *source)
{
    uint64_t rate = source->input->rate_per_s;
    const struct split *split = next_split(source);
    if (rate == 0 || split == NULL) {
        return 0;
    }
    uint64_t number = next_number(source, split);
    uint64_t due_ns = multiply_divide(number, NS_PER_S, rate - 1, rate); /* rounded up */
    return source->input->burst_count > 0 ? unstretched_ns(source->input, due_ns) : due_ns;
}

uint64_t source_records(const struct source *source)
{
    uint64_t records = 0;
    for (uint32_t i = 0; i < source->split_count; i++) {
        records += source->splits[i].records;
    }
    return records;
}

/* How many records of `split`, the next one, come before one of another split and before the number
 * `due`, as its next one does: so many are read without asking again. */
static uint64_t run_length(const struct source *source, const struct split *split, uint64_t due)
{
    uint64_t end = due;
    for (uint32_t i = 0; i < source->split_count; i++) {
        const struct split *other = &source->splits[i];
        if (other != split && other->position < other->end && next_number(source, other) < end) {
            end = next_number(source, other);
        }
    }
    uint64_t number = next_number(source, split);
    CHECK(number < end);
    return (end - number - 1) / source->context->split_count + 1;
}

static bool can_emit(const struct source *source, const struct split *split)
{
    return split->position < split->end && source->context->failure.size == 0;
}

/* These emit up to `limit` records of `split`, and answer how many: fewer only at its end, after a
 * failure, or if the process is dead. */

static uint32_t emit_lines(struct source *source, struct split *split, uint32_t limit)
{
    uint32_t count = 0;
    for (; count < limit && can_emit(source, split); count++) {
        struct record record = { 0 };
        uint64_t next;
        if (!read_line(source, split, split->position, &record.value, &next)) {
            break;
        }
        source->place = split->position;
        split->position = next;
        split->records++;
        collector_emit(source->out, &record);
    }
    return count;
}

/* The place of the record behind the next `skipped` ones of a split that holds every split_count-th
 * one. */
static inline uint64_t place_of(const struct source *source, const struct split *split,
                                uint64_t skipped)
{
    return (split->position + skipped) * source->context->split_count + split->index;
}

/* Takes the next record of such a split. */
static inline void take_number(struct source *source, struct split *split)
{
    source->place = place_of(source, split, 0);
    split->position++;
    split->records++;
}

/* Emits the record of `key`. A bad key is none that a number may be. Its record is made in place:
 * the copy of one made word by word, but copied in greater pieces, would wait until all that was
 * stored before has left the processor, and so each record for the last. */
static void emit_key(struct source *source, uint64_t key)
{
    uint8_t room[TEXT_INTEGER_SIZE_MAX];
    struct record record;
    record.is_number = source->gives_numbers && key <= INT64_MAX;
    record.value.data = room;
    if (record.is_number) {
        store_u64(room, key);
        record.value.size = sizeof key;
    } else {
        record.value.size = text_format_u64(room, key);
    }
    collector_emit(source->out, &record);
}

/* Emits up to `limit` records at once, those before the first bad key, and answers how many: 0 if
 * the next one must come alone. */
static uint32_t emit_at_once(struct source *source, struct split *split, uint32_t limit)
{
    int64_t numbers[NUMBERS_AT_ONCE];
    uint64_t left = split->end - split->position;
    uint32_t most = limit < NUMBERS_AT_ONCE ? limit : NUMBERS_AT_ONCE;
    uint32_t count = 0;
    for (; count < most && count < left; count++) {
        uint64_t key = generator_key(source->input->generator, place_of(source, split, count));
        if (key > INT64_MAX) {
            break;
        }
        numbers[count] = (int64_t)key;
    }
    if (count == 0 || !collector_emit_numbers(source->out, numbers, count)) {
        return 0;
    }
    split->position += count;
    split->records += count;
    return count;
}

static uint32_t emit_generated(struct source *source, struct split *split, uint32_t limit)
{
    uint32_t count = 0;
    bool at_once = source->gives_numbers;
    while (count < limit && can_emit(source, split)) {
        uint32_t emitted = at_once ? emit_at_once(source, split, limit - count) : 0;
        if (emitted == 0) {
            at_once = false;
            emitted = 1;
            take_number(source, split);
            emit_key(source, generator_key(source->input->generator, source->place));
        }
        count += emitted;
    }
    return count;
}

static uint32_t emit_events(struct source *source, struct split *split, uint32_t limit)
{
    const struct nexmark_config *config = &source->input->nexmark;
    uint32_t count = 0;
    for (; count < limit && can_emit(source, split); count++) {
        take_number(source, split);
        struct nexmark_event event;
        nexmark_event_of(config, nexmark_event_id(config, source->place), &event);
        uint8_t line[NEXMARK_LINE_SIZE_MAX];
        struct record record = { .value = { .data = line,
                                            .size = nexmark_format(config, &event, line) } };
        operator_emit_at(source->context, source->out, &record, event.timestamp_ms);
    }
    return count;
}

static uint32_t emit(struct source *source, struct split *split, uint32_t limit)
{
    source->current = split;
    switch (source->input->kind) {
    case INPUT_GENERATOR: return emit_generated(source, split, limit);
    case INPUT_FILE: return emit_lines(source, split, limit);
    case INPUT_NEXMARK: return emit_events(source, split, limit);
    }
    CHECK_UNREACHABLE("a kind of input");
}

/* Only who has a split waits for its end. */
static bool is_open(const struct source *source)
{
    return source->is_open && source->split_count > 0;
}

uint32_t source_pull(struct source *source, uint32_t limit, uint64_t now_ns,
                     enum source_state *state)
{
    uint64_t due = due_numbers(source, now_ns);
    uint32_t count = 0;
    struct split *split = next_split(source);
    if (split == NULL && is_open(source)) {
        look_for_more(source);
        split = next_split(source);
    }
    while (split != NULL && count < limit && next_number(source, split) < due) {
        uint64_t run = run_length(source, split, due);
        uint32_t wanted = run < limit - count ? (uint32_t)run : limit - count;
        uint32_t emitted = emit(source, split, wanted);
        count += emitted;
        if (emitted < wanted && split->position < split->end) {
            break; /* the chain or reading failed, or the process is dead */
        }
        split = next_split(source);
    }
    *state = split == NULL                       ? is_open(source) ? SOURCE_WAIT : SOURCE_END
             : next_number(source, split) >= due ? SOURCE_WAIT
                                                 : SOURCE_MORE;
    return count;
}

/* The line number is counted only when somebody asks: positions are byte offsets. */
static uint64_t line_number_at(const struct source *source, uint64_t offset)
{
    struct host *host = source->context->host;
    uint8_t *bytes = arena_alloc_raw(host->arena, CHUNK_BYTES);
    uint64_t line = 1;
    for (uint64_t at = 0; at < offset;) {
        uint64_t left = offset - at;
        size_t got = 0;
        if (host_file_read(host, source->file, at, bytes,
                           left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES, &got) != STATUS_OK ||
            got == 0) {
            break;
        }
        for (size_t i = 0; i < got; i++) {
            line += bytes[i] == '\n';
        }
        at += got;
    }
    arena_free(host->arena, bytes);
    return line;
}

void source_describe_place(const struct source *source, struct buffer *out)
{
    if (source->input->kind == INPUT_FILE) {
        unsigned long long line = line_number_at(source, source->place);
        if (source->input->is_numbered) {
            buffer_append_format(out, "record %llu of %s", line, source->input->label);
        } else {
            buffer_append_format(out, "%s:%llu", source->input->label, line);
        }
    } else {
        buffer_append_format(out, "record %llu", (unsigned long long)source->place);
    }
}

const struct operator_ops source_operator = {
    .open = source_open,
    .snapshot = source_snapshot,
    .restore = source_restore,
};
