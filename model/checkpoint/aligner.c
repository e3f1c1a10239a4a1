#include "model/checkpoint/aligner.h"

#include <string.h>

/* Sequences are 1..SEQUENCE_MAX; then what is in use is renumbered from 1. */
enum { SEQUENCE_MAX = ALIGNER_ENDED - 1 };
_Static_assert((int)ALIGNER_PENDING_MAX < (int)SEQUENCE_MAX,
               "renumbering must free some sequences");

static void aligner_check(const struct aligner *aligner)
{
    CHECK(aligner->open_count <= aligner->channel_count);
    CHECK(aligner->pending_count <= aligner->pending_max);
    CHECK(aligner->aborted_count <= ALIGNER_ABORTED_MAX);
    CHECK(aligner->next_sequence > 0);
    if (aligner->pending_count > 0) {
        const struct aligner_pending *newest = &aligner->pending[aligner->pending_count - 1];
        CHECK(newest->id <= aligner->latest_id);
        CHECK(newest->sequence < aligner->next_sequence);
        CHECK(newest->missing > 0);
        CHECK(newest->missing <= aligner->open_count);
    }
}

void aligner_init(struct aligner *aligner, struct arena *arena, enum aligner_mode mode,
                  uint32_t channel_count)
{
    *aligner = (struct aligner){
        .arena = arena,
        .mode = mode,
        .channel_count = channel_count,
        .open_count = channel_count,
        .channels = arena_alloc(arena, channel_count, sizeof *aligner->channels),
        .pending_max = mode == ALIGNER_EXACTLY_ONCE ? 1 : ALIGNER_PENDING_MAX,
        .next_sequence = 1,
    };
    aligner->pending = arena_alloc(arena, aligner->pending_max, sizeof *aligner->pending);
    aligner_check(aligner);
}

void aligner_free(struct aligner *aligner)
{
    arena_free(aligner->arena, aligner->channels);
    arena_free(aligner->arena, aligner->pending);
    *aligner = (struct aligner){ 0 };
}

/* A channel's byte says which pending checkpoints it has given, namely those up to that sequence.
 * Only their order counts, so the rank among the pending ones serves as well. */
static void renumber(struct aligner *aligner)
{
    CHECK(aligner->pending_count < SEQUENCE_MAX);
    uint8_t rank_of[ALIGNER_ENDED + 1];
    uint8_t rank = 0;
    for (uint32_t sequence = 0; sequence < ALIGNER_ENDED; sequence++) {
        if (rank < aligner->pending_count && aligner->pending[rank].sequence == sequence) {
            rank++;
            aligner->pending[rank - 1].sequence = rank;
        }
        rank_of[sequence] = rank;
    }
    CHECK(rank == aligner->pending_count);
    rank_of[ALIGNER_ENDED] = ALIGNER_ENDED;
    for (uint32_t channel = 0; channel < aligner->channel_count; channel++) {
        aligner->channels[channel] = rank_of[aligner->channels[channel]];
    }
    aligner->next_sequence = (uint8_t)(rank + 1);
}

static void drop_pending(struct aligner *aligner, uint32_t first, uint32_t count)
{
    CHECK(first + count <= aligner->pending_count);
    aligner->pending_count -= count;
    memmove(&aligner->pending[first], &aligner->pending[first + count],
            (aligner->pending_count - first) * sizeof *aligner->pending);
}

/* The index of `id`, or pending_count. */
static uint32_t find_pending(const struct aligner *aligner, uint64_t id)
{
    for (uint32_t i = aligner->pending_count; i > 0; i--) {
        if (aligner->pending[i - 1].id == id) {
            return i - 1;
        }
    }
    return aligner->pending_count;
}

/* Was `id` aborted? Forgets it, and all that latest_id has made obsolete. */
static bool take_aborted(struct aligner *aligner, uint64_t id)
{
    CHECK(id == aligner->latest_id);
    bool was_aborted = false;
    uint32_t kept_count = 0;
    for (uint32_t i = 0; i < aligner->aborted_count; i++) {
        was_aborted = was_aborted || aligner->aborted[i] == id;
        if (aligner->aborted[i] > id) {
            aligner->aborted[kept_count++] = aligner->aborted[i];
        }
    }
    aligner->aborted_count = kept_count;
    return was_aborted;
}

static void remember_aborted(struct aligner *aligner, uint64_t id)
{
    uint32_t smallest = 0;
    for (uint32_t i = 0; i < aligner->aborted_count; i++) {
        if (aligner->aborted[i] == id) {
            return;
        }
        if (aligner->aborted[i] < aligner->aborted[smallest]) {
            smallest = i;
        }
    }
    if (aligner->aborted_count < ALIGNER_ABORTED_MAX) {
        aligner->aborted[aligner->aborted_count++] = id;
    } else if (aligner->aborted[smallest] < id) {
        aligner->aborted[smallest] = id;
    }
}

/* The first sign of `id`, the newest so far. */
static void begin(struct aligner *aligner, uint64_t id, uint64_t now_ns,
                  struct aligner_answer *answer)
{
    CHECK(id > aligner->latest_id);
    aligner->latest_id = id;
    if (aligner->mode == ALIGNER_EXACTLY_ONCE && aligner->pending_count > 0) {
        answer->given_up_id = aligner->pending[0].id;
        answer->unblocked = true;
        drop_pending(aligner, 0, 1);
    }
    if (aligner->aborted_count > 0 && take_aborted(aligner, id)) {
        return;
    }
    if (aligner->pending_count == aligner->pending_max) {
        answer->given_up_id = aligner->pending[0].id;
        drop_pending(aligner, 0, 1);
    }
    if (aligner->next_sequence > SEQUENCE_MAX) {
        renumber(aligner);
    }
    aligner->pending[aligner->pending_count++] = (struct aligner_pending){
        .id = id,
        .first_barrier_ns = now_ns,
        .missing = aligner->open_count,
        .sequence = aligner->next_sequence++,
    };
}

/* Channel `channel` gave the barrier of `id`: the older barriers that it has not given will never
 * come (B2). */
static void give_up_passed_over(struct aligner *aligner, uint32_t channel, uint64_t id,
                                struct aligner_answer *answer)
{
    uint32_t first = 0;
    while (first < aligner->pending_count &&
           aligner->pending[first].sequence <= aligner->channels[channel]) {
        first++;
    }
    uint32_t end = first;
    while (end < aligner->pending_count && aligner->pending[end].id < id) {
        answer->given_up_id = aligner->pending[end].id;
        end++;
    }
    drop_pending(aligner, first, end - first);
}

/* Nothing is missing of pending[index]; it and all older ones end. */
static void end_aligned(struct aligner *aligner, uint32_t index, uint64_t now_ns,
                        struct aligner_answer *answer)
{
    const struct aligner_pending *pending = &aligner->pending[index];
    CHECK(pending->missing == 0);
    CHECK(answer->aligned_id == 0);
    answer->aligned_id = pending->id;
    answer->first_barrier_ns = pending->first_barrier_ns;
    answer->last_barrier_ns = now_ns;
    answer->unblocked = aligner->mode == ALIGNER_EXACTLY_ONCE;
    drop_pending(aligner, 0, index + 1);
}

struct aligner_answer aligner_on_barrier(struct aligner *aligner, uint32_t channel, uint64_t id,
                                         uint64_t now_ns)
{
    CHECK(id > 0);
    CHECK(channel < aligner->channel_count);
    CHECK(aligner->channels[channel] != ALIGNER_ENDED);
    CHECK(!aligner_is_blocked(aligner, channel));
    struct aligner_answer answer = { 0 };
    if (id > aligner->latest_id) {
        begin(aligner, id, now_ns, &answer);
    }
    give_up_passed_over(aligner, channel, id, &answer);
    uint32_t index = find_pending(aligner, id);
    if (index == aligner->pending_count ||
        aligner->channels[channel] >= aligner->pending[index].sequence) {
        return answer;
    }
    struct aligner_pending *pending = &aligner->pending[index];
    aligner->channels[channel] = pending->sequence;
    CHECK(pending->missing > 0);
    pending->missing--;
    if (pending->missing == 0) {
        end_aligned(aligner, index, now_ns, &answer);
    } else {
        answer.blocked = aligner->mode == ALIGNER_EXACTLY_ONCE;
    }
    aligner_check(aligner);
    return answer;
}

struct aligner_answer aligner_on_trigger(struct aligner *aligner, uint64_t id, uint64_t now_ns)
{
    CHECK(id > 0);
    struct aligner_answer answer = { 0 };
    if (id > aligner->latest_id) {
        begin(aligner, id, now_ns, &answer);
        uint32_t index = find_pending(aligner, id);
        if (index < aligner->pending_count && aligner->pending[index].missing == 0) {
            end_aligned(aligner, index, now_ns, &answer);
        }
    }
    aligner_check(aligner);
    return answer;
}

struct aligner_answer aligner_on_end_of_partition(struct aligner *aligner, uint32_t channel,
                                                  uint64_t now_ns)
{
    CHECK(channel < aligner->channel_count);
    CHECK(aligner->channels[channel] != ALIGNER_ENDED);
    CHECK(!aligner_is_blocked(aligner, channel));
    struct aligner_answer answer = { 0 };
    uint8_t given = aligner->channels[channel];
    aligner->channels[channel] = ALIGNER_ENDED;
    CHECK(aligner->open_count > 0);
    aligner->open_count--;
    uint32_t newest_aligned = ALIGNER_PENDING_MAX;
    for (uint32_t i = 0; i < aligner->pending_count; i++) {
        struct aligner_pending *pending = &aligner->pending[i];
        if (given < pending->sequence) {
            CHECK(pending->missing > 0);
            pending->missing--;
            newest_aligned = pending->missing == 0 ? i : newest_aligned;
        }
    }
    if (newest_aligned < aligner->pending_count) {
        end_aligned(aligner, newest_aligned, now_ns, &answer);
    }
    aligner_check(aligner);
    return answer;
}

struct aligner_answer aligner_on_aborted(struct aligner *aligner, uint64_t id)
{
    struct aligner_answer answer = { 0 };
    if (id > aligner->latest_id) {
        remember_aborted(aligner, id);
    }
    uint32_t index = find_pending(aligner, id);
    if (index < aligner->pending_count) {
        answer.unblocked = aligner->mode == ALIGNER_EXACTLY_ONCE;
        drop_pending(aligner, index, 1);
    }
    aligner_check(aligner);
    return answer;
}
