#include "sim/command/options.h"

#include <string.h>

#include "model/base/check.h"
#include "sim/scenario/scenario_nearest.h"
#include "sim/scenario/scenario_values.h"

/* What is left of the command line, and where its mistake is told. */
struct words {
    const char *const *at; /* the next one; ends with NULL */
    const char **settings; /* what the overrides borrow, while it is filled */
    struct buffer *error;
};

static const char *take_word(struct words *words)
{
    return *words->at == NULL ? NULL : *words->at++;
}

/* ---- names, and what was meant by a wrong one ------------------------------------------------ */

static const char *const verb_names[COMMAND_VERSION] = {
    [COMMAND_RUN] = "run",         [COMMAND_LIVE] = "live",       [COMMAND_SWEEP] = "sweep",
    [COMMAND_REPORT] = "report",   [COMMAND_FUZZ] = "fuzz",       [COMMAND_ENUMERATE] = "enumerate",
    [COMMAND_SHRINK] = "shrink",   [COMMAND_PREDICT] = "predict", [COMMAND_CALIBRATE] = "calibrate",
    [COMMAND_COMPARE] = "compare", [COMMAND_LIST] = "list",       [COMMAND_HELP] = "help",
};

const char *verb_name(enum command command)
{
    CHECK(command < COMMAND_VERSION);
    return verb_names[command];
}

static const char *const topic_names[] = { "jobs",       "backends", "faults", "facts",
                                          "properties", "marks" };
_Static_assert(sizeof topic_names / sizeof *topic_names == LIST_TOPIC_COUNT, "a name each");

enum option {
    OPTION_SEED,
    OPTION_SET,
    OPTION_OUT,
    OPTION_O,
    OPTION_DB,
    OPTION_JUNIT,
    OPTION_FAILURE_RATE,
    OPTION_RECOVERY_LIMIT,
    OPTION_J,
    OPTION_SEEDS,
    OPTION_TIME,
    OPTION_FAULTS,
    OPTION_CALIBRATION,
    OPTION_N,
    OPTION_REQUIRE_MARKS,
    OPTION_PAIRS,
    OPTION_NO_DB,
    OPTION_VERIFY,
    OPTION_TRACE,
    OPTION_PLOTS,
    OPTION_JSON,
    OPTION_QUIET,
    OPTION_CSV,
    OPTION_SHRINK,
    OPTION_RECALIBRATE,
    OPTION_THREADS,
    OPTION_SKIP_FAULTS,
    OPTION_HELP,
    OPTION_COUNT
};

static const char *const option_names[OPTION_COUNT] = {
    [OPTION_SEED] = "--seed",
    [OPTION_SET] = "--set",
    [OPTION_OUT] = "--out",
    [OPTION_O] = "-o",
    [OPTION_DB] = "--db",
    [OPTION_JUNIT] = "--junit",
    [OPTION_FAILURE_RATE] = "--failure-rate",
    [OPTION_RECOVERY_LIMIT] = "--recovery-limit",
    [OPTION_J] = "-j",
    [OPTION_SEEDS] = "--seeds",
    [OPTION_TIME] = "--time",
    [OPTION_FAULTS] = "--faults",
    [OPTION_CALIBRATION] = "--calibration",
    [OPTION_N] = "-n",
    [OPTION_REQUIRE_MARKS] = "--require-marks",
    [OPTION_NO_DB] = "--no-db",
    [OPTION_VERIFY] = "--verify",
    [OPTION_TRACE] = "--trace",
    [OPTION_PLOTS] = "--plots",
    [OPTION_JSON] = "--json",
    [OPTION_QUIET] = "--quiet",
    [OPTION_CSV] = "--csv",
    [OPTION_SHRINK] = "--shrink",
    [OPTION_PAIRS] = "--pairs",
    [OPTION_RECALIBRATE] = "--recalibrate",
    [OPTION_THREADS] = "--threads",
    [OPTION_SKIP_FAULTS] = "--skip-faults",
    [OPTION_HELP] = "--help",
};

/* Which verbs an option belongs to, as bits. */
#define OF(command) (1u << (command))
#define RUNS        (OF(COMMAND_RUN) | OF(COMMAND_LIVE))
#define CAMPAIGNS   (OF(COMMAND_FUZZ) | OF(COMMAND_ENUMERATE) | OF(COMMAND_SHRINK))
enum { JOBS_MAX = 256 };
static const unsigned option_commands[OPTION_COUNT] = {
    [OPTION_SEED] =
        RUNS | OF(COMMAND_SWEEP) | OF(COMMAND_PREDICT) | OF(COMMAND_COMPARE) | CAMPAIGNS,
    [OPTION_SET] = RUNS | OF(COMMAND_SWEEP) | OF(COMMAND_PREDICT) | OF(COMMAND_CALIBRATE) |
                   OF(COMMAND_COMPARE) | CAMPAIGNS,
    [OPTION_OUT] = RUNS | OF(COMMAND_SWEEP) | OF(COMMAND_REPORT) | OF(COMMAND_COMPARE) | CAMPAIGNS,
    [OPTION_O] = RUNS | OF(COMMAND_SWEEP) | OF(COMMAND_REPORT) | OF(COMMAND_CALIBRATE) | CAMPAIGNS,
    [OPTION_DB] = RUNS | OF(COMMAND_SWEEP) | OF(COMMAND_COMPARE),
    [OPTION_JUNIT] = RUNS | OF(COMMAND_SWEEP),
    [OPTION_FAILURE_RATE] = OF(COMMAND_PREDICT),
    [OPTION_RECOVERY_LIMIT] = OF(COMMAND_PREDICT),
    [OPTION_J] = OF(COMMAND_SWEEP) | CAMPAIGNS,
    [OPTION_SEEDS] = OF(COMMAND_FUZZ),
    [OPTION_TIME] = CAMPAIGNS,
    [OPTION_FAULTS] = OF(COMMAND_FUZZ),
    [OPTION_CALIBRATION] = OF(COMMAND_COMPARE),
    [OPTION_N] = OF(COMMAND_COMPARE),
    [OPTION_REQUIRE_MARKS] = OF(COMMAND_FUZZ),
    [OPTION_NO_DB] = RUNS | OF(COMMAND_COMPARE),
    [OPTION_VERIFY] = OF(COMMAND_RUN),
    [OPTION_TRACE] = RUNS,
    [OPTION_PLOTS] = RUNS,
    [OPTION_JSON] = RUNS | OF(COMMAND_PREDICT),
    [OPTION_QUIET] = RUNS | OF(COMMAND_SWEEP) | CAMPAIGNS,
    [OPTION_CSV] = OF(COMMAND_REPORT) | OF(COMMAND_SWEEP) | OF(COMMAND_COMPARE),
    [OPTION_SHRINK] = OF(COMMAND_FUZZ),
    [OPTION_PAIRS] = OF(COMMAND_ENUMERATE),
    [OPTION_RECALIBRATE] = OF(COMMAND_COMPARE),
    [OPTION_THREADS] = OF(COMMAND_LIVE) | OF(COMMAND_COMPARE),
    [OPTION_SKIP_FAULTS] = OF(COMMAND_LIVE),
    [OPTION_HELP] = ~0u,
};

static bool option_has_value(enum option option)
{
    return option <= OPTION_PAIRS;
}

/* What stands for the value that may be left out, as `--pairs` or `--pairs=20`; NULL: it may not.
 */
static const char *value_left_out(enum option option)
{
    return option == OPTION_PAIRS ? "all" : NULL;
}

/* The index of `word` in `names`, or `count`. */
static uint32_t find_name(const char *const *names, uint32_t count, struct bytes word)
{
    CHECK(names != NULL);
    uint32_t i = 0;
    while (i < count && !bytes_equal(bytes_of_text(names[i]), word)) {
        i++;
    }
    return i;
}

/* Appends `unknown WHAT "WORD"` and the name that was meant; without one, `otherwise`. */
static bool blame_name(struct words *words, const char *what, struct bytes word,
                       const char *const *names, uint32_t count, const char *otherwise)
{
    CHECK(count > 0);
    struct nearest nearest;
    nearest_init(&nearest, word);
    for (uint32_t i = 0; i < count; i++) {
        nearest_offer(&nearest, bytes_of_text(names[i]), names[i]);
    }
    buffer_append_format(words->error, "unknown %s \"%.*s\"; ", what, (int)word.size,
                         (const char *)word.data);
    if (nearest.answer != NULL) {
        buffer_append_format(words->error, "did you mean \"%s\"?", nearest.answer);
    } else {
        buffer_append_text(words->error, otherwise);
    }
    return false;
}

static bool blame(struct words *words, const char *sentence)
{
    CHECK(words->error->size == 0);
    buffer_append_text(words->error, sentence);
    return false;
}

/* ---- campaigns ------------------------------------------------------------------------------- */

enum { CAMPAIGN_FAULTS_DEFAULT = 5, CAMPAIGN_FAULTS_MAX = 1000 };

/* "late_ack,job_manager_silent": names of marks, each once. */
static bool parse_marks(struct options *options, struct words *words, const char *list)
{
    for (const char *at = list; *at != '\0';) {
        size_t size = strcspn(at, ",");
        struct bytes name = { .data = (const uint8_t *)at, .size = size };
        enum mark mark;
        if (!mark_find(name, &mark)) {
            buffer_append_format(words->error,
                                 "--require-marks: there is no mark \"%.*s\"; \"faultline list "
                                 "marks\" names them",
                                 (int)size, at);
            return false;
        }
        bool known = false;
        for (uint32_t i = 0; i < options->required_mark_count; i++) {
            known = known || options->required_marks[i] == mark;
        }
        if (!known) {
            CHECK(options->required_mark_count < MARK_COUNT);
            options->required_marks[options->required_mark_count++] = mark;
        }
        at += size + (at[size] == ',');
    }
    return true;
}

static bool parse_campaign_value(struct options *options, struct words *words, enum option option,
                                 const char *value)
{
    struct bytes text = bytes_of_text(value);
    switch (option) {
    case OPTION_SEEDS:
        return value_parse_range(text, VALUE_COUNT, &options->seed_first, &options->seed_last) ==
                   VALUE_OK ||
               blame(words, "--seeds: must be a range such as 1..1000");
    case OPTION_TIME:
        return value_parse(text, VALUE_DURATION, &options->time_ns) == VALUE_OK ||
               blame(words, "--time: must be a duration such as 60s");
    case OPTION_FAULTS: {
        uint64_t count = 0;
        bool ok = value_parse(text, VALUE_COUNT, &count) == VALUE_OK &&
                  count <= CAMPAIGN_FAULTS_MAX;
        options->fault_count = (uint32_t)count;
        return ok || blame(words, "--faults: must be a whole number from 0 to 1000");
    }
    case OPTION_REQUIRE_MARKS: return parse_marks(options, words, value);
    case OPTION_PAIRS: {
        uint64_t steps = UINT32_MAX;
        bool ok = strcmp(value, "all") == 0 || value_parse(text, VALUE_COUNT, &steps) == VALUE_OK;
        options->pair_steps = (uint32_t)steps;
        return (ok && steps >= 1 && steps <= UINT32_MAX) ||
               blame(words, "--pairs: must be a whole number of steps, from 1 on, or all");
    }
    default: CHECK_UNREACHABLE("an option of a campaign");
    }
}

/* ---- run ------------------------------------------------------------------------------------- */

static bool parse_repeats(struct options *options, struct words *words, const char *value)
{
    enum { REPEATS_MAX = 1000 };
    uint64_t repeats = 0;
    bool ok = value_parse(bytes_of_text(value), VALUE_COUNT, &repeats) == VALUE_OK &&
              repeats >= 1 && repeats <= REPEATS_MAX;
    options->repeats = (uint32_t)repeats;
    return ok || blame(words, "-n: must be a whole number from 1 to 1000");
}

static bool apply_value(struct options *options, struct words *words, enum option option,
                        const char *value)
{
    CHECK(option_has_value(option));
    struct scenario_overrides *overrides = &options->overrides;
    if (option == OPTION_SEED) {
        overrides->has_seed = true;
        return value_parse(bytes_of_text(value), VALUE_COUNT, &overrides->seed) == VALUE_OK ||
               blame(words, "--seed: must be a whole number from 0 to 18446744073709551615");
    }
    if (option == OPTION_SET) {
        words->settings[overrides->setting_count++] = value;
        return true;
    }
    if (option == OPTION_J) {
        uint64_t processes = 0;
        bool ok = value_parse(bytes_of_text(value), VALUE_COUNT, &processes) == VALUE_OK &&
                  processes >= 1 && processes <= JOBS_MAX;
        options->processes = (uint32_t)processes;
        return ok || blame(words, "-j: must be a whole number from 1 to 256");
    }
    if (option == OPTION_N) {
        return parse_repeats(options, words, value);
    }
    if (*value == '\0') {
        buffer_append_format(words->error, "%s: must not be empty", option_names[option]);
        return false;
    }
    switch (option) {
    case OPTION_SEEDS:
    case OPTION_TIME:
    case OPTION_FAULTS:
    case OPTION_REQUIRE_MARKS:
    case OPTION_PAIRS: return parse_campaign_value(options, words, option, value);
    case OPTION_OUT:
    case OPTION_O: options->out = value; return true;
    case OPTION_DB: options->database = value; return true;
    case OPTION_CALIBRATION: options->calibration = value; return true;
    case OPTION_JUNIT: options->junit = value; return true;
    case OPTION_FAILURE_RATE: options->failure_rate = value; return true;
    case OPTION_RECOVERY_LIMIT: options->recovery_limit = value; return true;
    default: CHECK_UNREACHABLE("an option without a value");
    }
}

static void ask_for_help(struct options *options)
{
    options->about = options->command;
    options->command = COMMAND_HELP;
}

static void apply_switch(struct options *options, enum option option)
{
    CHECK(!option_has_value(option));
    switch (option) {
    case OPTION_NO_DB: options->database = NULL; return;
    case OPTION_VERIFY: options->verify = true; return;
    case OPTION_TRACE: options->trace = true; return;
    case OPTION_PLOTS: options->plots = true; return;
    case OPTION_JSON: options->json = true; return;
    case OPTION_QUIET: options->quiet = true; return;
    case OPTION_CSV: options->csv = true; return;
    case OPTION_SHRINK: options->shrink = true; return;
    case OPTION_RECALIBRATE: options->recalibrate = true; return;
    case OPTION_THREADS: options->threads = true; return;
    case OPTION_SKIP_FAULTS: options->skip_faults = true; return;
    case OPTION_HELP: ask_for_help(options); return;
    default: CHECK_UNREACHABLE("an option with a value");
    }
}

/* "-j4" is "-j 4". */
static bool is_short_jobs(const char *word)
{
    return strncmp(word, "-j", 2) == 0 && word[2] >= '0' && word[2] <= '9';
}

static bool parse_option(struct options *options, struct words *words, const char *word)
{
    CHECK(word[0] == '-');
    if (is_short_jobs(word) && (option_commands[OPTION_J] & OF(options->command)) != 0) {
        return apply_value(options, words, OPTION_J, word + 2);
    }
    const char *equals = strchr(word, '=');
    struct bytes name = bytes_of_text(word);
    if (equals != NULL) {
        name.size = (size_t)(equals - word);
    }
    enum option option = (enum option)find_name(option_names, OPTION_COUNT, name);
    if (option == OPTION_COUNT) {
        return blame_name(words, "option", name, option_names, OPTION_COUNT,
                          "\"help\" lists the options");
    }
    if ((option_commands[option] & OF(options->command)) == 0) {
        buffer_append_format(words->error, "%s: is no option of this verb", option_names[option]);
        return false;
    }
    if (!option_has_value(option)) {
        if (equals != NULL) {
            buffer_append_format(words->error, "%s: takes no value", option_names[option]);
            return false;
        }
        apply_switch(options, option);
        return true;
    }
    const char *value = equals != NULL ? equals + 1 : value_left_out(option);
    value = value != NULL ? value : take_word(words);
    if (value == NULL) {
        buffer_append_format(words->error, "%s: needs a value", option_names[option]);
        return false;
    }
    return apply_value(options, words, option, value);
}

/* Options and paths, in any order. */
static bool parse_words(struct options *options, struct words *words)
{
    bool options_ended = false;
    const char *word;
    while ((word = take_word(words)) != NULL && options->command != COMMAND_HELP) {
        if (!options_ended && strcmp(word, "--") == 0) {
            options_ended = true;
        } else if (!options_ended && word[0] == '-') {
            if (!parse_option(options, words, word)) {
                return false;
            }
        } else {
            options->scenarios[options->scenario_count++] = word;
        }
    }
    return true;
}

static bool parse_run(struct options *options, struct words *words)
{
    if (!parse_words(options, words) || options->command == COMMAND_HELP) {
        return words->error->size == 0;
    }
    if (options->scenario_count == 0) {
        return blame(words, options->command == COMMAND_RUN
                                ? "run: needs the path of a scenario"
                                : "live: needs the path of a scenario");
    }
    if (options->json && options->quiet) {
        return blame(words, "--json and --quiet exclude each other");
    }
    return true;
}

/* With a folder for the page, the database lies in it too: the page shows these sweeps only. */
static bool parse_sweep(struct options *options, struct words *words, struct arena *arena)
{
    options->database = NULL;
    if (!parse_words(options, words) || options->command == COMMAND_HELP) {
        return words->error->size == 0;
    }
    if (options->scenario_count == 0) {
        return blame(words, "sweep: needs the path of a scenario");
    }
    if (options->csv && options->out == NULL) {
        return blame(words, "--csv: the tables belong to a page; -o says where it goes");
    }
    if (options->database == NULL) {
        options->database = options->out == NULL
                                ? OPTIONS_DEFAULT_DATABASE
                                : arena_format(arena, "%s/results.db", options->out);
    }
    return true;
}

/* Without a range and a time: a thousand seeds. With a time only: from 1 on, as many as it has
 * time for. */
static bool parse_campaign(struct options *options, struct words *words)
{
    options->fault_count = CAMPAIGN_FAULTS_DEFAULT;
    if (!parse_words(options, words) || options->command == COMMAND_HELP) {
        return words->error->size == 0;
    }
    if (options->seed_last == 0) {
        options->seed_first = 1;
        options->seed_last = options->time_ns > 0 ? UINT64_MAX : 1000;
    }
    if (options->scenario_count != 1) {
        const char *verb = options->command == COMMAND_FUZZ        ? "fuzz"
                           : options->command == COMMAND_ENUMERATE ? "enumerate"
                                                                   : "shrink";
        buffer_append_format(words->error, "%s: needs the path of one scenario", verb);
        return false;
    }
    return true;
}

static bool parse_report(struct options *options, struct words *words)
{
    if (!parse_words(options, words) || options->command == COMMAND_HELP) {
        return words->error->size == 0;
    }
    if (options->scenario_count > 1) {
        return blame(words, "report: takes one results database");
    }
    if (options->scenario_count == 1) {
        options->database = options->scenarios[0];
    }
    return true;
}

static bool parse_predict(struct options *options, struct words *words)
{
    if (!parse_words(options, words) || options->command == COMMAND_HELP) {
        return words->error->size == 0;
    }
    return options->scenario_count == 1 || blame(words, "predict: needs the path of one scenario");
}

static bool parse_calibrate(struct options *options, struct words *words)
{
    if (!parse_words(options, words) || options->command == COMMAND_HELP) {
        return words->error->size == 0;
    }
    return options->scenario_count == 0 ||
           blame(words, "calibrate: takes no scenario; --set changes the job that is measured");
}

static bool parse_compare(struct options *options, struct words *words)
{
    options->repeats = 1;
    if (!parse_words(options, words) || options->command == COMMAND_HELP) {
        return words->error->size == 0;
    }
    return options->scenario_count == 1 || blame(words, "compare: needs the path of one scenario");
}

/* ---- the other verbs ------------------------------------------------------------------------- */

static bool blame_verb(struct words *words, const char *verb)
{
    return blame_name(words, "verb", bytes_of_text(verb), verb_names, COMMAND_VERSION,
                      "there are run, live, sweep, report, predict, fuzz, enumerate, shrink, "
                      "calibrate, compare, list, help");
}

/* `help`, or `help VERB`. */
static bool parse_help(struct options *options, struct words *words)
{
    const char *verb = take_word(words);
    options->command = COMMAND_HELP;
    options->about = COMMAND_HELP;
    if (verb == NULL) {
        return true;
    }
    options->about = (enum command)find_name(verb_names, COMMAND_VERSION, bytes_of_text(verb));
    if (options->about == COMMAND_VERSION) {
        return blame_verb(words, verb);
    }
    return *words->at == NULL || blame(words, "help: takes one verb only");
}

static bool parse_list(struct options *options, struct words *words)
{
    const char *word = take_word(words);
    if (word == NULL) {
        return blame(words, "list: needs one of jobs, backends, faults, facts, properties, marks");
    }
    if (strcmp(word, "--help") == 0) {
        ask_for_help(options);
        return true;
    }
    options->topic = (enum list_topic)find_name(topic_names, LIST_TOPIC_COUNT, bytes_of_text(word));
    if (options->topic == LIST_TOPIC_COUNT) {
        return blame_name(words, "list", bytes_of_text(word), topic_names, LIST_TOPIC_COUNT,
                          "there are jobs, backends, faults, facts, properties, marks");
    }
    return *words->at == NULL || blame(words, "list: takes one word only");
}

/* Verbs that need nothing but their words. */
static const struct {
    const char *verb;
    enum command command;
    bool (*parse)(struct options *options, struct words *words);
} others[] = { { "report", COMMAND_REPORT, parse_report },
               { "predict", COMMAND_PREDICT, parse_predict },
               { "calibrate", COMMAND_CALIBRATE, parse_calibrate },
               { "compare", COMMAND_COMPARE, parse_compare } };

bool options_parse(struct options *options, struct arena *arena, int argc, const char *const *argv,
                   struct buffer *error)
{
    CHECK(argc >= 1 && argv[argc] == NULL);
    CHECK(error->size == 0);
    /* Neither list can be longer than the command line. */
    size_t room = (size_t)argc;
    struct words words = {
        .at = argv + 1,
        .settings = arena_alloc(arena, room, sizeof *words.settings),
        .error = error,
    };
    *options = (struct options){
        .program = argv[0],
        .scenarios = arena_alloc(arena, room, sizeof *options->scenarios),
        .overrides.settings = words.settings,
        .database = OPTIONS_DEFAULT_DATABASE,
    };
    const char *verb = take_word(&words);
    if (verb == NULL) {
        return blame(&words, "needs a verb: run, live, sweep, report, predict, fuzz, "
                             "enumerate, shrink, calibrate, compare, list or help");
    }
    bool is_live = strcmp(verb, "live") == 0;
    if (is_live || strcmp(verb, "run") == 0) {
        options->command = is_live ? COMMAND_LIVE : COMMAND_RUN;
        return parse_run(options, &words);
    }
    if (strcmp(verb, "sweep") == 0) {
        options->command = COMMAND_SWEEP;
        return parse_sweep(options, &words, arena);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (strcmp(verb, others[i].verb) == 0) {
            options->command = others[i].command;
            return others[i].parse(options, &words);
        }
    }
    static const struct {
        const char *verb;
        enum command command;
    } campaigns[] = { { "fuzz", COMMAND_FUZZ },
                      { "enumerate", COMMAND_ENUMERATE },
                      { "shrink", COMMAND_SHRINK } };
    for (size_t i = 0; i < sizeof campaigns / sizeof *campaigns; i++) {
        if (strcmp(verb, campaigns[i].verb) == 0) {
            options->command = campaigns[i].command;
            options->required_marks = arena_alloc(arena, MARK_COUNT, sizeof(enum mark));
            return parse_campaign(options, &words);
        }
    }
    if (strcmp(verb, "list") == 0) {
        options->command = COMMAND_LIST;
        return parse_list(options, &words);
    }
    if (strcmp(verb, "help") == 0 || strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0) {
        return parse_help(options, &words);
    }
    if (strcmp(verb, "--version") == 0) {
        options->command = COMMAND_VERSION;
        return true;
    }
    return blame_verb(&words, verb);
}
