#include "model/stream/nexmark.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/prng.h"
#include "model/base/text.h"

__extension__ typedef unsigned __int128 wide;

enum {
    ROUND = 50, /* events: one person, then the auctions, then bids */
    ROUND_AUCTIONS = 3,
    HOT_GROUP = 100, /* one of so many auctions, bidders or sellers is the hot one */
    AUCTIONS_IN_FLIGHT = 100,
    PERSONS_ACTIVE = 1000,
    LEAD = 10, /* ids that do not exist yet, but soon will */
    MILLION = 1000000,
    FACTOR_BITS = 52,
    PRICE_BITS = 33,
    PRICE_FACTORS = 32,
};

struct nexmark_config nexmark_default_config(void)
{
    return (struct nexmark_config){ .seed = 1,
                                    .rate_per_s = 10000,
                                    .out_of_order = 1,
                                    .hot_auctions_ppm = MILLION / 2,
                                    .hot_bidders_ppm = MILLION / 4 * 3,
                                    .hot_sellers_ppm = MILLION / 4 * 3 };
}

/* ---- order and time -------------------------------------------------------------------------- */

uint64_t nexmark_event_id(const struct nexmark_config *config, uint64_t number)
{
    uint64_t group = config->out_of_order;
    CHECK(group > 0);
    CHECK(group == 1 || group % NEXMARK_ORDER_MULTIPLIER != 0);
    return number / group * group + (uint64_t)((wide)number * NEXMARK_ORDER_MULTIPLIER % group);
}

uint64_t nexmark_watermark_id(const struct nexmark_config *config, uint64_t number)
{
    CHECK(config->out_of_order > 0);
    return number / config->out_of_order * config->out_of_order;
}

int64_t nexmark_timestamp_ms(const struct nexmark_config *config, uint64_t id)
{
    CHECK(config->rate_per_s > 0);
    return (int64_t)((wide)id * MILLION / config->rate_per_s / 1000);
}

/* ---- ids, counted from 0 --------------------------------------------------------------------- */

static uint64_t last_person(uint64_t id)
{
    return id / ROUND;
}

/* The newest auction as of event `id`; there is none yet before the first round's. */
static uint64_t last_auction(uint64_t id)
{
    uint64_t round = id / ROUND;
    uint64_t slot = id % ROUND;
    CHECK(round > 0 || slot > 0);
    if (slot == 0) {
        return round * ROUND_AUCTIONS - 1;
    }
    uint64_t in_round = slot <= ROUND_AUCTIONS ? slot - 1 : ROUND_AUCTIONS - 1;
    return round * ROUND_AUCTIONS + in_round;
}

/* One of the persons who are active, or will soon be there. */
static uint64_t any_person(uint64_t id, struct prng *prng)
{
    uint64_t count = last_person(id) + 1;
    uint64_t active = count < PERSONS_ACTIVE ? count : PERSONS_ACTIVE;
    return count - active + prng_below(prng, active + LEAD);
}

static uint64_t any_auction(uint64_t id, struct prng *prng)
{
    uint64_t last = last_auction(id);
    uint64_t first = last > AUCTIONS_IN_FLIGHT ? last - AUCTIONS_IN_FLIGHT : 0;
    return prng_between(prng, first, last + LEAD);
}

static uint64_t hot_of(uint64_t last)
{
    return last / HOT_GROUP * HOT_GROUP;
}

/* ---- prices ---------------------------------------------------------------------------------- */

/* 10^(6 / 2^i) for i = 1, 2 ..., with FACTOR_BITS fractional bits: what each bit of u is worth. */
static const uint64_t price_factors[PRICE_FACTORS] = {
    0x3e80000000000000, 0x01f9f6e4990f2273, 0x0059f9802c8d1896, 0x0025f1258e069407,
    0x0018a389ff3ab1cf, 0x0013dae18daccd3e, 0x0011d2d641146cc9, 0x0010e31f1ee598ff,
    0x001070075bed9bfc, 0x001037a2f29726fe, 0x00101bb97424ccd6, 0x00100dd6bdf6fc8f,
    0x001006e9e099efa3, 0x0010037490c935d6, 0x001001ba30863e25, 0x001000dd124bda50,
    0x0010006e87a82645, 0x001000374374a2b3, 0x0010001ba1a27567, 0x0010000dd0cb43bc,
    0x00100006e8642421, 0x001000037431b2a1, 0x00100001ba18c175, 0x00100000dd0c5ac3,
    0x001000006e862be4, 0x0010000037431593, 0x001000001ba18ab1, 0x001000000dd0c553,
    0x0010000006e862a8, 0x0010000003743154, 0x0010000001ba18aa, 0x0010000000dd0c55,
};

uint64_t nexmark_price(uint32_t fraction)
{
    uint64_t price = UINT64_C(100) << PRICE_BITS;
    for (int i = 0; i < PRICE_FACTORS; i++) {
        if ((fraction >> (PRICE_FACTORS - 1 - i) & 1) != 0) {
            price = (uint64_t)((wide)price * price_factors[i] >> FACTOR_BITS);
        }
    }
    return (price + (UINT64_C(1) << (PRICE_BITS - 1))) >> PRICE_BITS;
}

static uint64_t any_price(struct prng *prng)
{
    return nexmark_price((uint32_t)(prng_next(prng) >> 32));
}

/* ---- the events ------------------------------------------------------------------------------ */

static const char *const names[] = {
    "Ada Brook",  "Bela Winter", "Carl Stone", "Dora Field", "Emil Hart",   "Fanny Marsh",
    "Georg Lind", "Hedda Vale",  "Ivo Grant",  "Jonas Reed", "Klara Frost", "Lena Birch",
    "Max Thorn",  "Nora Quill",  "Oskar Penn", "Paula Dale", "Rosa Hill",   "Simon Wells",
    "Thea Moss",  "Ulla Rivers", "Viktor Ash", "Wanda Cole", "Xaver Land",  "Yara Flint",
};
static const char *const cities[] = { "Tucson",  "Fresno", "Oakland", "Nampa",  "Salem",
                                      "Medford", "Tacoma", "Spokane", "Yakima", "Casper" };
static const char *const states[] = { "AZ", "CA", "ID", "OR", "WA", "WY" };

enum {
    NAME_COUNT = sizeof names / sizeof names[0],
    CITY_COUNT = sizeof cities / sizeof cities[0],
    STATE_COUNT = sizeof states / sizeof states[0],
};

static struct bytes any_text(const char *const *texts, uint64_t count, struct prng *prng)
{
    return bytes_of_text(texts[prng_below(prng, count)]);
}

static void make_person(uint64_t id, struct prng *prng, struct nexmark_event *event)
{
    event->kind = NEXMARK_PERSON;
    event->as.person.id = NEXMARK_FIRST_ID + last_person(id);
    event->as.person.name = any_text(names, NAME_COUNT, prng);
    event->as.person.city = any_text(cities, CITY_COUNT, prng);
    event->as.person.state = any_text(states, STATE_COUNT, prng);
}

/* An auction lasts up to twice the time in which as many auctions begin as are open at one time. */
static uint64_t any_length_ms(const struct nexmark_config *config, uint64_t id, struct prng *prng)
{
    uint64_t later = id + AUCTIONS_IN_FLIGHT * ROUND / ROUND_AUCTIONS;
    uint64_t horizon_ms =
        (uint64_t)(nexmark_timestamp_ms(config, later) - nexmark_timestamp_ms(config, id));
    return 1 + prng_below(prng, horizon_ms > 0 ? 2 * horizon_ms : 1);
}

static void make_auction(const struct nexmark_config *config, uint64_t id, struct prng *prng,
                         struct nexmark_event *event)
{
    event->kind = NEXMARK_AUCTION;
    event->as.auction.id = NEXMARK_FIRST_ID + last_auction(id);
    uint64_t seller =
        prng_chance(prng, config->hot_sellers_ppm) ? hot_of(last_person(id)) : any_person(id, prng);
    event->as.auction.seller = NEXMARK_FIRST_ID + seller;
    event->as.auction.category = NEXMARK_FIRST_CATEGORY + prng_below(prng, NEXMARK_CATEGORY_COUNT);
    event->as.auction.initial_bid = any_price(prng);
    event->as.auction.reserve = event->as.auction.initial_bid + any_price(prng);
    event->as.auction.expires_ms = event->timestamp_ms + (int64_t)any_length_ms(config, id, prng);
}

static void make_bid(const struct nexmark_config *config, uint64_t id, struct prng *prng,
                     struct nexmark_event *event)
{
    event->kind = NEXMARK_BID;
    uint64_t auction = prng_chance(prng, config->hot_auctions_ppm) ? hot_of(last_auction(id))
                                                                   : any_auction(id, prng);
    /* Not the hot seller: the next one. */
    uint64_t bidder = prng_chance(prng, config->hot_bidders_ppm) ? hot_of(last_person(id)) + 1
                                                                 : any_person(id, prng);
    event->as.bid.auction = NEXMARK_FIRST_ID + auction;
    event->as.bid.bidder = NEXMARK_FIRST_ID + bidder;
    event->as.bid.price = any_price(prng);
}

void nexmark_event_of(const struct nexmark_config *config, uint64_t id, struct nexmark_event *event)
{
    CHECK(id < UINT64_MAX / 2);
    struct prng prng = { .state =
                             hash_mix(hash_mix(config->seed) + id * UINT64_C(0xd1342543de82ef95)) };
    *event = (struct nexmark_event){ .timestamp_ms = nexmark_timestamp_ms(config, id) };
    uint64_t slot = id % ROUND;
    if (slot == 0) {
        make_person(id, &prng, event);
    } else if (slot <= ROUND_AUCTIONS) {
        make_auction(config, id, &prng, event);
    } else {
        make_bid(config, id, &prng, event);
    }
}

/* ---- lines ----------------------------------------------------------------------------------- */

struct line {
    uint8_t *at;
    size_t size;
};

static void add_bytes(struct line *line, struct bytes text)
{
    CHECK(line->size + text.size < NEXMARK_LINE_SIZE_MAX);
    memcpy(line->at + line->size, text.data, text.size);
    line->size += text.size;
}

static void add_text(struct line *line, struct bytes text)
{
    add_bytes(line, bytes_of_text(","));
    add_bytes(line, text);
}

static void add_number(struct line *line, uint64_t number)
{
    add_bytes(line, bytes_of_text(","));
    CHECK(line->size + TEXT_INTEGER_SIZE_MAX < NEXMARK_LINE_SIZE_MAX);
    line->size += text_format_u64(line->at + line->size, number);
}

static void add_padding(struct line *line, size_t size)
{
    if (line->size < size) {
        line->at[line->size++] = ',';
    }
    while (line->size < size) {
        line->at[line->size++] = '.';
    }
}

size_t nexmark_format(const struct nexmark_config *config, const struct nexmark_event *event,
                      uint8_t *at)
{
    CHECK(event->timestamp_ms >= 0);
    struct line line = { .at = at };
    size_t padded_bytes = 0;
    switch (event->kind) {
    case NEXMARK_PERSON:
        add_bytes(&line, bytes_of_text("person"));
        add_number(&line, event->as.person.id);
        add_text(&line, event->as.person.name);
        add_text(&line, event->as.person.city);
        add_text(&line, event->as.person.state);
        padded_bytes = NEXMARK_PERSON_BYTES;
        break;
    case NEXMARK_AUCTION:
        add_bytes(&line, bytes_of_text("auction"));
        add_number(&line, event->as.auction.id);
        add_number(&line, event->as.auction.seller);
        add_number(&line, event->as.auction.category);
        add_number(&line, event->as.auction.initial_bid);
        add_number(&line, event->as.auction.reserve);
        add_number(&line, (uint64_t)event->as.auction.expires_ms);
        padded_bytes = NEXMARK_AUCTION_BYTES;
        break;
    case NEXMARK_BID:
        add_bytes(&line, bytes_of_text("bid"));
        add_number(&line, event->as.bid.auction);
        add_number(&line, event->as.bid.bidder);
        add_number(&line, event->as.bid.price);
        padded_bytes = NEXMARK_BID_BYTES;
        break;
    }
    add_number(&line, (uint64_t)event->timestamp_ms);
    if (config->padding) {
        add_padding(&line, padded_bytes);
    }
    return line.size;
}

/* The fields of a line that are still to be read. */
struct fields {
    struct bytes rest;
    bool ended;
    bool failed;
};

static struct bytes next_field(struct fields *fields)
{
    struct bytes field = fields->rest;
    if (fields->ended) {
        fields->failed = true;
        return (struct bytes){ 0 };
    }
    const uint8_t *comma = field.size == 0 ? NULL : memchr(field.data, ',', field.size);
    if (comma == NULL) {
        fields->ended = true;
        return field;
    }
    field.size = (size_t)(comma - field.data);
    fields->rest.data += field.size + 1;
    fields->rest.size -= field.size + 1;
    return field;
}

static uint64_t next_number(struct fields *fields)
{
    int64_t number = 0;
    if (!text_parse_i64(next_field(fields), &number) || number < 0) {
        fields->failed = true;
    }
    return (uint64_t)number;
}

static struct bytes next_text(struct fields *fields)
{
    struct bytes text = next_field(fields);
    fields->failed = fields->failed || text.size == 0;
    return text;
}

static void parse_person(struct fields *fields, struct nexmark_event *event)
{
    event->kind = NEXMARK_PERSON;
    event->as.person.id = next_number(fields);
    event->as.person.name = next_text(fields);
    event->as.person.city = next_text(fields);
    event->as.person.state = next_text(fields);
}

static void parse_auction(struct fields *fields, struct nexmark_event *event)
{
    event->kind = NEXMARK_AUCTION;
    event->as.auction.id = next_number(fields);
    event->as.auction.seller = next_number(fields);
    event->as.auction.category = next_number(fields);
    event->as.auction.initial_bid = next_number(fields);
    event->as.auction.reserve = next_number(fields);
    event->as.auction.expires_ms = (int64_t)next_number(fields);
}

static void parse_bid(struct fields *fields, struct nexmark_event *event)
{
    event->kind = NEXMARK_BID;
    event->as.bid.auction = next_number(fields);
    event->as.bid.bidder = next_number(fields);
    event->as.bid.price = next_number(fields);
}

bool nexmark_parse(struct bytes line, struct nexmark_event *event)
{
    struct fields fields = { .rest = line };
    struct bytes kind = next_field(&fields);
    *event = (struct nexmark_event){ 0 };
    if (bytes_equal(kind, bytes_of_text("bid"))) {
        parse_bid(&fields, event);
    } else if (bytes_equal(kind, bytes_of_text("auction"))) {
        parse_auction(&fields, event);
    } else if (bytes_equal(kind, bytes_of_text("person"))) {
        parse_person(&fields, event);
    } else {
        return false;
    }
    event->timestamp_ms = (int64_t)next_number(&fields);
    if (!fields.ended) {
        (void)next_field(&fields); /* the padding */
    }
    return fields.ended && !fields.failed && event->timestamp_ms <= NEXMARK_TIME_MS_MAX &&
           line.size <= NEXMARK_LINE_SIZE_MAX;
}
