#include "model/state/ttl.h"

#include "model/base/check.h"

static bool is_stamped_over(struct bytes stamped, uint64_t ttl_ns, uint64_t now_ns)
{
    CHECK(stamped.size >= TTL_STAMP_BYTES); /* nobody else writes these values */
    return ttl_is_over(load_u64(stamped.data), ttl_ns, now_ns);
}

static enum ttl_verdict judge_list(const struct state_descriptor *state, struct bytes list,
                                   uint64_t now_ns, struct buffer *kept)
{
    struct decoder decoder;
    decoder_init(&decoder, list);
    uint64_t count = 0;
    uint64_t kept_count = 0;
    size_t start = kept == NULL ? 0 : kept->size;
    while (decoder.position < decoder.size) {
        struct bytes element = decode_bytes(&decoder);
        CHECK(!decoder.failed);
        count++;
        if (!is_stamped_over(element, state->ttl_ns, now_ns)) {
            kept_count++;
            if (kept != NULL) {
                encode_bytes(kept, element);
            }
        }
    }
    if (kept_count == 0) {
        return TTL_DROP;
    }
    if (kept_count < count && kept != NULL) {
        return TTL_SHRINK;
    }
    if (kept != NULL) {
        kept->size = start;
    }
    return TTL_KEEP;
}

enum ttl_verdict ttl_judge(const struct state_descriptor *state, struct bytes value,
                           uint64_t now_ns, struct buffer *kept)
{
    CHECK(state->ttl_ns > 0);
    if (state->kind == STATE_LIST) {
        return judge_list(state, value, now_ns, kept);
    }
    return is_stamped_over(value, state->ttl_ns, now_ns) ? TTL_DROP : TTL_KEEP;
}

bool ttl_is_sound(const struct state_descriptor *state, struct bytes value)
{
    CHECK(state->ttl_ns > 0);
    if (state->kind != STATE_LIST) {
        return value.size >= TTL_STAMP_BYTES;
    }
    struct decoder decoder;
    decoder_init(&decoder, value);
    bool is_sound = true;
    while (is_sound && decoder.position < decoder.size) {
        is_sound = decode_bytes(&decoder).size >= TTL_STAMP_BYTES && !decoder.failed;
    }
    return is_sound;
}
