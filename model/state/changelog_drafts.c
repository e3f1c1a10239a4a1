#include "model/base/check.h"
#include "model/state/changelog_private.h"
#include "model/state/snapshot.h"

/* ---- the state ------------------------------------------------------------------------------- */

static const struct snapshot_base *newest_base(const struct changelog_backend *changelog)
{
    uint32_t count = changelog->bases.count;
    return count == 0 ? NULL : &changelog->bases.items[count - 1];
}

/* L4. Not while the newest base is being written: what it will consist of is not known. */
static bool is_materialisation_due(const struct changelog_backend *changelog)
{
    const struct materialisation *materialisation = &changelog->materialisation;
    const struct snapshot_base *newest = newest_base(changelog);
    if (materialisation->frozen != NULL) {
        return true;
    }
    if (materialisation->base.id != 0 || newest == NULL || newest->part_count == 0) {
        return false;
    }
    uint64_t interval_ns = changelog->options.interval_ns;
    bool is_whole_already =
        newest->part_count == 1 && newest->log_end.changes == changelog->log.end.changes;
    bool is_late =
        interval_ns > 0 && changelog->base.now_ns - changelog->materialised_ns >= interval_ns;
    return !is_whole_already &&
           (is_late || (!changelog->has_tried && changelog_has_used(changelog, newest, 2, 3)));
}

static void begin_materialisation(struct changelog_backend *changelog)
{
    uint64_t id = changelog->newest_id; /* below that of the snapshot that will take it */
    CHECK(id > 0);
    changelog->materialisation = (struct materialisation){
        .frozen = backend_snapshot_begin(changelog_inner(changelog), id, 0),
        .base = { .id = id,
                  .last_part = id,
                  .entry_count = backend_entry_count(changelog->inner),
                  .log_end = changelog->log.end },
    };
    changelog->materialised_ns = changelog->base.now_ns;
    changelog->has_tried = true;
}

static enum backend_draft_step step_state(struct changelog_backend *changelog, struct buffer *out,
                                          size_t limit_bytes)
{
    struct materialisation *materialisation = &changelog->materialisation;
    bool is_new = materialisation->frozen == NULL;
    if (is_new) {
        begin_materialisation(changelog);
    }
    enum backend_step left = backend_snapshot_step(materialisation->frozen, out, limit_bytes);
    CHECK(left != BACKEND_NEXT); /* a whole snapshot is one part */
    if (left == BACKEND_DONE) {
        backend_snapshot_end(materialisation->frozen);
        materialisation->frozen = NULL;
    }
    changelog_note_failure(changelog);
    return is_new ? DRAFT_BEGUN : DRAFT_MORE;
}

void changelog_drop_materialisation(struct changelog_backend *changelog)
{
    if (changelog->materialisation.frozen != NULL) {
        backend_snapshot_end(changelog->materialisation.frozen);
    }
    changelog->materialisation = (struct materialisation){ 0 };
}

/* ---- the log --------------------------------------------------------------------------------- */

/* What the next snapshot will build on, as far as can be told; NULL: on nothing. */
static const struct snapshot_base *expected_base(const struct changelog_backend *changelog)
{
    return changelog->materialisation.is_kept ? &changelog->materialisation.base
                                              : newest_base(changelog);
}

bool changelog_draft_fits(const struct changelog_backend *changelog,
                          const struct snapshot_base *base)
{
    const struct log_draft *draft = &changelog->draft;
    return draft->follows != 0 && draft->follows == base->last_part &&
           draft->from.bytes == base->log_end.bytes &&
           draft->state_count == changelog->states.count;
}

/* L5 */
static bool is_log_due(const struct changelog_backend *changelog)
{
    const struct log_draft *draft = &changelog->draft;
    const struct snapshot_base *base = expected_base(changelog);
    uint64_t persist_bytes = changelog->options.persist_bytes;
    uint64_t end_bytes = changelog->log.end.bytes;
    if (persist_bytes == 0 || base == NULL) {
        return false;
    }
    bool fits = changelog_draft_fits(changelog, base);
    uint64_t written_bytes = fits ? draft->to.bytes : base->log_end.bytes;
    return (fits && written_bytes < draft->goal_bytes) ||
           (end_bytes - written_bytes >= persist_bytes && end_bytes >= draft->not_before_bytes);
}

static enum backend_draft_step step_log(struct changelog_backend *changelog, struct buffer *out,
                                        size_t limit_bytes)
{
    const struct snapshot_base *base = expected_base(changelog);
    struct log_draft *draft = &changelog->draft;
    CHECK(base != NULL);
    bool is_new = !changelog_draft_fits(changelog, base);
    if (is_new) {
        *draft = (struct log_draft){ .follows = base->last_part,
                                     .state_count = changelog->states.count,
                                     .from = base->log_end,
                                     .to = base->log_end };
        snapshot_write_header(out, base->last_part + 1, base->last_part, changelog->states.states,
                              draft->state_count);
    }
    if (draft->to.bytes >= draft->goal_bytes) {
        draft->goal_bytes = changelog->log.end.bytes;
    }
    change_log_copy(&changelog->log, &draft->to, changelog->log.end, out, limit_bytes);
    return is_new ? DRAFT_BEGUN : DRAFT_MORE;
}

/* ---- both ------------------------------------------------------------------------------------ */

bool changelog_draft_is_due(const struct backend *backend, enum backend_draft draft)
{
    const struct changelog_backend *changelog = changelog_of_const(backend);
    return draft == DRAFT_STATE ? is_materialisation_due(changelog) : is_log_due(changelog);
}

enum backend_draft_step changelog_draft_step(struct backend *backend, enum backend_draft draft,
                                             struct buffer *out, size_t limit_bytes)
{
    CHECK(changelog_draft_is_due(backend, draft));
    return draft == DRAFT_STATE ? step_state(changelog_of(backend), out, limit_bytes)
                                : step_log(changelog_of(backend), out, limit_bytes);
}

void changelog_draft_kept(struct backend *backend, enum backend_draft draft)
{
    struct changelog_backend *changelog = changelog_of(backend);
    if (draft == DRAFT_LOG) {
        changelog->draft.is_kept = changelog->draft.follows != 0;
    } else if (changelog->materialisation.base.id != 0) { /* else it has been dropped */
        CHECK(changelog->materialisation.frozen == NULL);
        changelog->materialisation.is_kept = true;
    }
}

void changelog_draft_lost(struct backend *backend, enum backend_draft draft)
{
    struct changelog_backend *changelog = changelog_of(backend);
    if (draft == DRAFT_STATE) {
        changelog_drop_materialisation(changelog);
        changelog_trim(changelog);
    } else {
        changelog->draft =
            (struct log_draft){ .not_before_bytes =
                                    changelog->log.end.bytes + changelog->options.persist_bytes };
    }
}

void changelog_drafts_check(const struct changelog_backend *changelog)
{
    const struct materialisation *materialisation = &changelog->materialisation;
    const struct log_draft *draft = &changelog->draft;
    if (materialisation->base.id != 0) {
        CHECK(materialisation->base.id <= changelog->newest_id);
        CHECK(materialisation->base.log_end.bytes >= changelog->log.start.bytes);
        CHECK(!materialisation->is_kept || materialisation->frozen == NULL);
    } else {
        CHECK(materialisation->frozen == NULL);
        CHECK(!materialisation->is_kept);
    }
    CHECK(draft->follows != 0 || !draft->is_kept);
    CHECK(draft->from.bytes <= draft->to.bytes);
    CHECK(draft->to.bytes <= changelog->log.end.bytes);
}
