#include "model/stream/source.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/base/text.h"

__extension__ typedef unsigned __int128 wide;

enum {
    CHUNK_BYTES = 256 * 1024, /* how much of the file one read brings */
    NS_PER_S = 1000000000,
};

struct source {
    struct operator_context *context;
    const struct input_config *input;
    struct collector *out;
    uint64_t position; /* FILE: offset of the next unread line; GENERATOR: records made so far */
    uint64_t end;      /* FILE: lines that start here are another's; GENERATOR: records in all */
    uint64_t records;  /* emitted so far */
    uint64_t place;    /* FILE: offset of the line being emitted; GENERATOR: its number */
    file_id file;
    uint64_t file_size;
    uint8_t *chunk; /* the file's bytes from chunk_start on */
    size_t chunk_size;
    size_t chunk_capacity;
    uint64_t chunk_start;
};

/* Makes the bytes at `position` present, at least `wanted` of them unless the file ends. */
static bool load_chunk(struct source *source, uint64_t position, size_t wanted)
{
    struct host *host = source->context->host;
    source->chunk =
        arena_grow(host->arena, source->chunk, &source->chunk_capacity, wanted, 1);
    size_t got = 0;
    enum status status =
        host_file_read(host, source->file, position, source->chunk, wanted, &got);
    if (!operator_check(source->context, status, source->input->label)) {
        return false;
    }
    source->chunk_start = position;
    source->chunk_size = got;
    return true;
}

/* The line that starts at `position`, without its end; `*next` is where the following one starts.
 * False if reading failed. */
static bool read_line(struct source *source, uint64_t position, struct bytes *line, uint64_t *next)
{
    CHECK(position < source->file_size);
    for (;;) {
        uint64_t chunk_end = source->chunk_start + source->chunk_size;
        if (position >= source->chunk_start && position < chunk_end) {
            const uint8_t *start = source->chunk + (position - source->chunk_start);
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
        if (position == source->chunk_start && source->chunk_size > 0) {
            wanted = source->chunk_size * 2;
        }
        uint64_t left = source->file_size - position;
        if (!load_chunk(source, position, left < wanted ? (size_t)left : wanted)) {
            return false;
        }
        if (source->chunk_size == 0) {
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
    if (!operator_check(context, status, source->input->label) ||
        !operator_check(context, host_file_size(context->host, source->file, &source->file_size),
                        source->input->label)) {
        return;
    }
    uint64_t share = context->subtask;
    source->position = (uint64_t)((wide)source->file_size * share / context->parallelism);
    source->end = (uint64_t)((wide)source->file_size * (share + 1) / context->parallelism);
}

static void *source_open(struct operator_context *context, const void *parameters,
                         struct collector *out)
{
    CHECK(parameters == NULL);
    struct source *source = arena_alloc(context->host->arena, 1, sizeof *source);
    *source = (struct source){ .context = context, .input = context->input, .out = out };
    context->source = source;
    if (source->input->kind == INPUT_FILE) {
        open_file(source);
    } else {
        uint64_t records = source->input->records;
        source->end = records > context->subtask
                          ? (records - context->subtask - 1) / context->parallelism + 1
                          : 0;
    }
    return source;
}

/* A share begins with the first line that starts in it: the line that runs into it is another's. */
static void seek_first_line(struct source *source)
{
    if (source->position == 0 || source->position >= source->file_size) {
        return;
    }
    struct bytes line;
    uint64_t next;
    if (read_line(source, source->position - 1, &line, &next)) {
        source->position = next;
    }
}

static enum status source_restore(void *self, struct bytes state)
{
    struct source *source = self;
    if (state.size == 0) {
        if (source->input->kind == INPUT_FILE) {
            seek_first_line(source);
        }
        return STATUS_OK;
    }
    struct decoder decoder;
    decoder_init(&decoder, state);
    source->position = decode_u64(&decoder);
    source->records = decode_u64(&decoder);
    source->context->records_skipped = decode_u64(&decoder);
    return decoder_finish(&decoder);
}

static void source_snapshot(void *self, uint64_t checkpoint, struct buffer *out)
{
    (void)checkpoint;
    const struct source *source = self;
    encode_u64(out, source->position);
    encode_u64(out, source->records);
    encode_u64(out, source->context->records_skipped);
}

void source_skip_to_end(struct source *source)
{
    source->position = source->end;
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

/* How many more records of this subtask are due at `now_ns`. */
static uint64_t due_count(const struct source *source, uint64_t now_ns)
{
    uint64_t rate = source->input->rate_per_s;
    if (rate == 0) {
        return UINT64_MAX;
    }
    const struct operator_context *context = source->context;
    if (source->input->burst_count > 0) {
        now_ns = stretched_ns(source->input, now_ns);
    }
    uint64_t last = multiply_divide(now_ns, rate, 0, NS_PER_S); /* numbers 0..last are due */
    if (last < context->subtask) {
        return 0;
    }
    uint64_t mine = (last - context->subtask) / context->parallelism + 1;
    return mine > source->records ? mine - source->records : 0;
}

uint64_t source_due_ns(const struct source *source)
{
    uint64_t rate = source->input->rate_per_s;
    if (rate == 0) {
        return 0;
    }
    uint64_t number = source->records * source->context->parallelism + source->context->subtask;
    uint64_t due_ns = multiply_divide(number, NS_PER_S, rate - 1, rate); /* rounded up */
    return source->input->burst_count > 0 ? unstretched_ns(source->input, due_ns) : due_ns;
}

uint64_t source_records(const struct source *source)
{
    return source->records;
}

static void emit_line(struct source *source)
{
    struct record record;
    uint64_t next;
    if (read_line(source, source->position, &record.value, &next)) {
        source->place = source->position;
        source->position = next;
        source->records++;
        collector_emit(source->out, &record);
    }
}

static void emit_generated(struct source *source)
{
    const struct operator_context *context = source->context;
    source->place = source->position * context->parallelism + context->subtask;
    source->position++;
    source->records++;
    uint8_t digits[TEXT_INTEGER_SIZE_MAX];
    size_t size =
        text_format_u64(digits, generator_key(source->input->generator, source->place));
    struct record record = { .value = { .data = digits, .size = size } };
    collector_emit(source->out, &record);
}

static void emit_event(struct source *source)
{
    struct operator_context *context = source->context;
    const struct nexmark_config *config = &source->input->nexmark;
    source->place = source->position * context->parallelism + context->subtask;
    source->position++;
    source->records++;
    struct nexmark_event event;
    nexmark_event_of(config, nexmark_event_id(config, source->place), &event);
    uint8_t line[NEXMARK_LINE_SIZE_MAX];
    struct record record = { .value = { .data = line,
                                        .size = nexmark_format(config, &event, line) } };
    operator_emit_at(context, source->out, &record, event.timestamp_ms);
}

uint32_t source_pull(struct source *source, uint32_t limit, uint64_t now_ns,
                     enum source_state *state)
{
    const struct buffer *failure = &source->context->failure;
    enum input_kind kind = source->input->kind;
    uint64_t due = due_count(source, now_ns);
    if (due < limit) {
        limit = (uint32_t)due;
    }
    uint32_t count = 0;
    for (; count < limit && source->position < source->end && failure->size == 0; count++) {
        uint64_t position = source->position;
        if (kind == INPUT_GENERATOR) {
            emit_generated(source);
        } else if (kind == INPUT_FILE) {
            emit_line(source);
        } else {
            emit_event(source);
        }
        if (source->position == position) {
            break; /* reading failed, or the process is dead */
        }
    }
    *state = source->position >= source->end ? SOURCE_END
             : due <= count                  ? SOURCE_WAIT
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
