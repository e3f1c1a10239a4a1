#include "model/checkpoint/aligner.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/prng.h"
#include "tests/support/runner.h"

struct step {
    const char *event;    /* "b CHANNEL ID", "e CHANNEL", "a ID" (aborted) or "t ID" (trigger) */
    const char *expected; /* "give_up ID", "align ID", "free", "block", or "-" */
};

static void answer_text(char text[128], struct aligner_answer answer)
{
    int size = 0;
    text[0] = '\0';
    if (answer.given_up_id != 0) {
        size += sprintf(text + size, "give_up %llu ", (unsigned long long)answer.given_up_id);
    }
    if (answer.aligned_id != 0) {
        size += sprintf(text + size, "align %llu ", (unsigned long long)answer.aligned_id);
    }
    size += sprintf(text + size, "%s%s", answer.unblocked ? "free " : "",
                    answer.blocked ? "block " : "");
    if (size == 0) {
        strcpy(text, "- ");
    }
    text[strlen(text) - 1] = '\0';
}

static struct aligner_answer give_event(struct aligner *aligner, const char *event, uint64_t now_ns)
{
    unsigned channel = 0;
    unsigned long long id = 0;
    if (sscanf(event, "b %u %llu", &channel, &id) == 2) {
        return aligner_on_barrier(aligner, channel, id, now_ns);
    }
    if (sscanf(event, "e %u", &channel) == 1) {
        return aligner_on_end_of_partition(aligner, channel, now_ns);
    }
    if (sscanf(event, "a %llu", &id) == 1) {
        return aligner_on_aborted(aligner, id);
    }
    ck_assert_msg(sscanf(event, "t %llu", &id) == 1, "%s", event);
    return aligner_on_trigger(aligner, id, now_ns);
}

/* Steps end with a NULL event. */
static void play(enum aligner_mode mode, uint32_t channel_count, const struct step *steps)
{
    struct arena arena;
    arena_init(&arena);
    struct aligner aligner;
    aligner_init(&aligner, &arena, mode, channel_count);
    for (uint64_t i = 0; steps[i].event != NULL; i++) {
        char text[128];
        answer_text(text, give_event(&aligner, steps[i].event, i));
        ck_assert_msg(strcmp(text, steps[i].expected) == 0, "step %u '%s': %s, not %s", (unsigned)i,
                      steps[i].event, text, steps[i].expected);
    }
    aligner_free(&aligner);
    arena_drop(&arena);
}

START_TEST(a_checkpoint_is_aligned_when_every_channel_gave_its_barrier)
{
    play(ALIGNER_EXACTLY_ONCE, 3,
         (struct step[]){ { "b 0 1", "block" },
                          { "b 2 1", "block" },
                          { "b 1 1", "align 1 free" },
                          { "b 1 2", "block" },
                          { "b 0 2", "block" },
                          { "b 2 2", "align 2 free" },
                          { 0 } });
}
END_TEST

START_TEST(with_one_channel_every_barrier_aligns_at_once)
{
    play(ALIGNER_EXACTLY_ONCE, 1,
         (struct step[]){
             { "b 0 1", "align 1 free" }, { "b 0 4", "align 4 free" }, { "b 0 3", "-" }, { 0 } });
}
END_TEST

START_TEST(a_newer_barrier_ends_the_alignment_of_an_older_one)
{
    play(ALIGNER_EXACTLY_ONCE, 3,
         (struct step[]){ { "b 0 1", "block" },
                          { "b 1 2", "give_up 1 free block" },
                          { "b 2 1", "-" },
                          { "b 0 2", "block" },
                          { "b 2 2", "align 2 free" },
                          { 0 } });
}
END_TEST

START_TEST(barriers_of_ended_checkpoints_are_obsolete)
{
    play(ALIGNER_EXACTLY_ONCE, 2,
         (struct step[]){ { "b 0 5", "block" },
                          { "b 1 5", "align 5 free" },
                          { "b 1 5", "-" },
                          { "b 0 4", "-" },
                          { "a 5", "-" },
                          { 0 } });
}
END_TEST

START_TEST(an_abort_frees_the_channels_and_later_barriers_are_ignored)
{
    play(ALIGNER_EXACTLY_ONCE, 2,
         (struct step[]){ { "b 0 1", "block" },
                          { "a 1", "free" },
                          { "b 1 1", "-" },
                          { "b 0 2", "block" },
                          { "b 1 2", "align 2 free" },
                          { 0 } });
}
END_TEST

START_TEST(an_abort_that_came_first_is_remembered)
{
    play(ALIGNER_EXACTLY_ONCE, 2,
         (struct step[]){ { "a 3", "-" },
                          { "a 2", "-" },
                          { "a 2", "-" },
                          { "b 0 1", "block" },
                          { "b 1 2", "give_up 1 free" }, /* 2 itself is aborted: nothing blocks */
                          { "b 0 2", "-" },
                          { "b 0 3", "-" },
                          { "b 1 4", "block" },
                          { "b 0 4", "align 4 free" },
                          { 0 } });
}
END_TEST

START_TEST(of_too_many_aborts_the_newest_are_remembered)
{
    struct arena arena;
    arena_init(&arena);
    struct aligner aligner;
    aligner_init(&aligner, &arena, ALIGNER_EXACTLY_ONCE, 2);
    for (uint64_t id = 10; id < 10 + ALIGNER_ABORTED_MAX + 2; id++) {
        aligner_on_aborted(&aligner, id);
    }
    ck_assert(aligner_on_barrier(&aligner, 0, 11, 0).blocked);
    ck_assert(!aligner_on_barrier(&aligner, 1, 12, 0).blocked);
    ck_assert(!aligner_on_barrier(&aligner, 0, 10 + ALIGNER_ABORTED_MAX + 1, 0).blocked);
    ck_assert_uint_eq(aligner.aborted_count, 0);
    arena_drop(&arena);
}
END_TEST

START_TEST(the_end_of_a_channel_counts_as_its_barrier)
{
    play(ALIGNER_EXACTLY_ONCE, 3,
         (struct step[]){ { "b 0 1", "block" },
                          { "e 1", "-" },
                          { "b 2 1", "align 1 free" },
                          { "b 0 2", "block" },
                          { "e 2", "align 2 free" },
                          { "b 0 3", "align 3 free" },
                          { "e 0", "-" },
                          { 0 } });
}
END_TEST

START_TEST(without_open_channels_a_trigger_aligns_at_once)
{
    play(ALIGNER_EXACTLY_ONCE, 0,
         (struct step[]){ { "t 1", "align 1 free" },
                          { "t 1", "-" },
                          { "a 2", "-" },
                          { "t 2", "-" },
                          { "t 3", "align 3 free" },
                          { 0 } });
}
END_TEST

START_TEST(a_trigger_before_the_ends_of_the_channels_waits_for_them)
{
    play(ALIGNER_EXACTLY_ONCE, 2,
         (struct step[]){ { "t 1", "-" }, { "e 0", "-" }, { "e 1", "align 1 free" }, { 0 } });
}
END_TEST

START_TEST(at_least_once_counts_several_checkpoints_and_blocks_nothing)
{
    play(ALIGNER_AT_LEAST_ONCE, 2,
         (struct step[]){ { "b 0 1", "-" },
                          { "b 0 2", "-" },
                          { "b 0 2", "-" },
                          { "b 1 1", "align 1" },
                          { "b 0 3", "-" },
                          { "b 1 2", "align 2" },
                          { "b 1 3", "align 3" },
                          { 0 } });
}
END_TEST

START_TEST(at_least_once_the_end_of_a_channel_aligns_the_newest_and_drops_older_ones)
{
    play(ALIGNER_AT_LEAST_ONCE, 2,
         (struct step[]){ { "b 0 1", "-" },
                          { "b 0 2", "-" },
                          { "e 1", "align 2" },
                          { "b 0 1", "-" },
                          { "b 0 3", "align 3" },
                          { 0 } });
}
END_TEST

START_TEST(at_least_once_gives_up_what_a_channel_passed_over)
{
    play(ALIGNER_AT_LEAST_ONCE, 3,
         (struct step[]){ { "b 0 1", "-" },
                          { "b 0 2", "-" },
                          { "b 1 2", "give_up 1" },
                          { "b 2 1", "-" },
                          { "a 3", "-" },
                          { "b 2 3", "give_up 2" },
                          { "b 1 3", "-" },
                          { "b 0 4", "-" },
                          { "a 4", "-" },
                          { "b 1 4", "-" },
                          { 0 } });
}
END_TEST

START_TEST(at_least_once_tracks_a_bounded_number)
{
    struct arena arena;
    arena_init(&arena);
    struct aligner aligner;
    aligner_init(&aligner, &arena, ALIGNER_AT_LEAST_ONCE, 2);
    for (uint64_t id = 1; id <= ALIGNER_PENDING_MAX; id++) {
        ck_assert_uint_eq(aligner_on_barrier(&aligner, 0, id, 0).given_up_id, 0);
    }
    ck_assert_uint_eq(aligner_on_barrier(&aligner, 0, 60, 0).given_up_id, 1);
    ck_assert_uint_eq(aligner_on_barrier(&aligner, 1, 1, 0).aligned_id, 0);
    ck_assert_uint_eq(aligner_on_barrier(&aligner, 1, 2, 0).aligned_id, 2);
    arena_drop(&arena);
}
END_TEST

START_TEST(the_answer_brings_the_first_and_the_last_barrier_time)
{
    struct arena arena;
    arena_init(&arena);
    struct aligner aligner;
    aligner_init(&aligner, &arena, ALIGNER_EXACTLY_ONCE, 2);
    aligner_on_barrier(&aligner, 0, 1, 100);
    aligner_on_barrier(&aligner, 1, 2, 130);
    struct aligner_answer answer = aligner_on_barrier(&aligner, 0, 2, 175);
    ck_assert_uint_eq(answer.first_barrier_ns, 130);
    ck_assert_uint_eq(answer.last_barrier_ns, 175);
    arena_drop(&arena);
}
END_TEST

START_TEST(a_blocked_channel_must_not_deliver)
{
    struct arena arena;
    arena_init(&arena);
    struct aligner aligner;
    aligner_init(&aligner, &arena, ALIGNER_EXACTLY_ONCE, 2);
    aligner_on_barrier(&aligner, 0, 1, 0);
    ck_assert(aligner_is_blocked(&aligner, 0));
    aligner_on_barrier(&aligner, 0, 2, 0);
}
END_TEST

/* The straightforward model: for each checkpoint the set of channels that gave it. */
enum { MODEL_CHANNELS = 6, MODEL_IDS = 610 };

struct model {
    enum aligner_mode mode;
    uint32_t channel_count;
    bool ended[MODEL_CHANNELS];
    bool blocked[MODEL_CHANNELS];
    bool given[MODEL_IDS][MODEL_CHANNELS];
    bool pending[MODEL_IDS];
    bool aborted[MODEL_IDS];
    uint64_t first_ns[MODEL_IDS];
    uint64_t latest_id;
};

static bool model_is_aligned(const struct model *model, uint64_t id)
{
    for (uint32_t channel = 0; channel < model->channel_count; channel++) {
        if (!model->ended[channel] && !model->given[id][channel]) {
            return false;
        }
    }
    return true;
}

static void model_unblock(struct model *model, struct aligner_answer *answer)
{
    answer->unblocked = model->mode == ALIGNER_EXACTLY_ONCE;
    memset(model->blocked, 0, sizeof model->blocked);
}

static void model_end_aligned(struct model *model, uint64_t now_ns, struct aligner_answer *answer)
{
    for (uint64_t id = model->latest_id; id > 0; id--) {
        if (model->pending[id] && model_is_aligned(model, id)) {
            answer->aligned_id = id;
            answer->first_barrier_ns = model->first_ns[id];
            answer->last_barrier_ns = now_ns;
            memset(model->pending, 0, (id + 1) * sizeof model->pending[0]);
            model_unblock(model, answer);
            return;
        }
    }
}

static struct aligner_answer model_on_barrier(struct model *model, uint32_t channel, uint64_t id,
                                              uint64_t now_ns)
{
    struct aligner_answer answer = { 0 };
    if (id > model->latest_id) {
        model->latest_id = id;
        model->pending[id] = !model->aborted[id];
        model->first_ns[id] = now_ns;
    }
    for (uint64_t older = 1; older < id; older++) {
        if (model->pending[older] && !model->given[older][channel]) {
            model->pending[older] = false;
            answer.given_up_id = older;
            model_unblock(model, &answer);
        }
    }
    if (!model->pending[id] || model->given[id][channel]) {
        return answer;
    }
    model->given[id][channel] = true;
    model_end_aligned(model, now_ns, &answer);
    if (answer.aligned_id == 0 && model->mode == ALIGNER_EXACTLY_ONCE) {
        answer.blocked = true;
        model->blocked[channel] = true;
    }
    return answer;
}

static struct aligner_answer model_on_end(struct model *model, uint32_t channel, uint64_t now_ns)
{
    struct aligner_answer answer = { 0 };
    model->ended[channel] = true;
    model_end_aligned(model, now_ns, &answer);
    return answer;
}

static struct aligner_answer model_on_aborted(struct model *model, uint64_t id)
{
    struct aligner_answer answer = { 0 };
    if (id > model->latest_id) {
        model->aborted[id] = true;
    }
    if (model->pending[id]) {
        model->pending[id] = false;
        model_unblock(model, &answer);
    }
    return answer;
}

static void compare(const struct aligner *aligner, const struct model *model,
                    struct aligner_answer real, struct aligner_answer expected)
{
    char real_text[128];
    char expected_text[128];
    answer_text(real_text, real);
    answer_text(expected_text, expected);
    ck_assert_str_eq(real_text, expected_text);
    ck_assert_uint_eq(real.first_barrier_ns, expected.first_barrier_ns);
    ck_assert_uint_eq(real.last_barrier_ns, expected.last_barrier_ns);
    for (uint32_t channel = 0; channel < model->channel_count; channel++) {
        ck_assert(aligner_is_blocked(aligner, channel) == model->blocked[channel]);
    }
}

/* Each channel gives rising ids, now and then passing one over or repeating one, until it ends;
 * aborts come at any time. Returns how many checkpoints were aligned. */
static uint32_t random_run(enum aligner_mode mode, uint64_t seed, uint64_t id_count)
{
    struct prng prng = { seed };
    struct arena arena;
    arena_init(&arena);
    struct model *model = arena_alloc(&arena, 1, sizeof *model);
    model->mode = mode;
    model->channel_count = 1 + (uint32_t)prng_below(&prng, MODEL_CHANNELS);
    struct aligner aligner;
    aligner_init(&aligner, &arena, mode, model->channel_count);
    uint64_t next[MODEL_CHANNELS] = { 0 };
    uint32_t aligned_count = 0;
    for (uint64_t now_ns = 0; now_ns < id_count * 5; now_ns++) {
        uint32_t channel = (uint32_t)prng_below(&prng, model->channel_count);
        struct aligner_answer real;
        struct aligner_answer expected;
        if (prng_chance(&prng, 30000)) {
            uint64_t id = 1 + prng_below(&prng, 4) + next[channel];
            real = aligner_on_aborted(&aligner, id);
            expected = model_on_aborted(model, id);
        } else if (model->ended[channel] || model->blocked[channel]) {
            continue;
        } else if (next[channel] + 3 >= id_count || prng_chance(&prng, 700)) {
            real = aligner_on_end_of_partition(&aligner, channel, now_ns);
            expected = model_on_end(model, channel, now_ns);
        } else {
            next[channel] += prng_chance(&prng, 20000) ? prng_below(&prng, 3) : 1;
            uint64_t id = next[channel] + (next[channel] == 0);
            real = aligner_on_barrier(&aligner, channel, id, now_ns);
            expected = model_on_barrier(model, channel, id, now_ns);
        }
        compare(&aligner, model, real, expected);
        aligned_count += real.aligned_id != 0;
        if (aligner.pending_count + 2 > ALIGNER_PENDING_MAX) {
            break; /* the model knows no bound */
        }
    }
    arena_drop(&arena);
    return aligned_count;
}

START_TEST(exactly_once_agrees_with_the_model_in_random_runs)
{
    uint32_t aligned_count = 0;
    for (uint64_t seed = 0; seed < 25; seed++) {
        aligned_count += random_run(ALIGNER_EXACTLY_ONCE, seed, MODEL_IDS - 10);
    }
    ck_assert_uint_gt(aligned_count, 2000);
}
END_TEST

START_TEST(at_least_once_agrees_with_the_model_in_random_runs)
{
    uint32_t aligned_count = 0;
    for (uint64_t seed = 0; seed < 25; seed++) {
        aligned_count += random_run(ALIGNER_AT_LEAST_ONCE, seed, MODEL_IDS - 10);
    }
    ck_assert_uint_gt(aligned_count, 2000);
}
END_TEST

START_TEST(renumbering_forgets_nothing)
{
    struct arena arena;
    arena_init(&arena);
    struct aligner aligner;
    aligner_init(&aligner, &arena, ALIGNER_AT_LEAST_ONCE, 3);
    aligner_on_barrier(&aligner, 0, 1, 7);
    uint64_t id = 2;
    for (; id < 1000; id++) { /* 1 stays pending while hundreds are begun and aborted */
        aligner_on_barrier(&aligner, 0, id, id);
        aligner_on_aborted(&aligner, id);
    }
    aligner_on_barrier(&aligner, 0, id, id);
    ck_assert_uint_eq(aligner_on_barrier(&aligner, 1, 1, 2000).aligned_id, 0);
    struct aligner_answer answer = aligner_on_barrier(&aligner, 2, 1, 2001);
    ck_assert_uint_eq(answer.aligned_id, 1);
    ck_assert_uint_eq(answer.first_barrier_ns, 7);
    aligner_on_barrier(&aligner, 1, id, 2002);
    ck_assert_uint_eq(aligner_on_barrier(&aligner, 2, id, 2003).aligned_id, id);
    arena_drop(&arena);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("aligner");
    TCase *tcase = tcase_create("aligner");
    tcase_add_test(tcase, a_checkpoint_is_aligned_when_every_channel_gave_its_barrier);
    tcase_add_test(tcase, with_one_channel_every_barrier_aligns_at_once);
    tcase_add_test(tcase, a_newer_barrier_ends_the_alignment_of_an_older_one);
    tcase_add_test(tcase, barriers_of_ended_checkpoints_are_obsolete);
    tcase_add_test(tcase, an_abort_frees_the_channels_and_later_barriers_are_ignored);
    tcase_add_test(tcase, an_abort_that_came_first_is_remembered);
    tcase_add_test(tcase, of_too_many_aborts_the_newest_are_remembered);
    tcase_add_test(tcase, the_end_of_a_channel_counts_as_its_barrier);
    tcase_add_test(tcase, without_open_channels_a_trigger_aligns_at_once);
    tcase_add_test(tcase, a_trigger_before_the_ends_of_the_channels_waits_for_them);
    tcase_add_test(tcase, at_least_once_counts_several_checkpoints_and_blocks_nothing);
    tcase_add_test(tcase,
                   at_least_once_the_end_of_a_channel_aligns_the_newest_and_drops_older_ones);
    tcase_add_test(tcase, at_least_once_gives_up_what_a_channel_passed_over);
    tcase_add_test(tcase, at_least_once_tracks_a_bounded_number);
    tcase_add_test(tcase, the_answer_brings_the_first_and_the_last_barrier_time);
    tcase_add_test_raise_signal(tcase, a_blocked_channel_must_not_deliver, SIGABRT);
    tcase_add_test(tcase, exactly_once_agrees_with_the_model_in_random_runs);
    tcase_add_test(tcase, at_least_once_agrees_with_the_model_in_random_runs);
    tcase_add_test(tcase, renumbering_forgets_nothing);
    suite_add_tcase(s, tcase);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
