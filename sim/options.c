#include "sim/options.h"

#include <string.h>

#include "model/base/check.h"
#include "sim/scenario_nearest.h"
#include "sim/scenario_values.h"

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

static const char *const verb_names[] = { "run", "sweep", "report", "list", "help" };
static const char *const topic_names[] = { "jobs", "faults", "facts", "properties" };
_Static_assert(sizeof topic_names / sizeof *topic_names == LIST_TOPIC_COUNT, "a name each");

enum option {
    OPTION_SEED,
    OPTION_SET,
    OPTION_OUT,
    OPTION_O,
    OPTION_DB,
    OPTION_JUNIT,
    OPTION_J,
    OPTION_NO_DB,
    OPTION_VERIFY,
    OPTION_TRACE,
    OPTION_PLOTS,
    OPTION_JSON,
    OPTION_QUIET,
    OPTION_CSV,
    OPTION_HELP,
    OPTION_COUNT
};

static const char *const option_names[OPTION_COUNT] = {
    "--seed",   "--set",   "--out",   "-o",     "--db",    "--junit", "-j",     "--no-db",
    "--verify", "--trace", "--plots", "--json", "--quiet", "--csv",   "--help",
};

/* Which verbs an option belongs to, as bits. */
#define OF(command) (1u << (command))
enum { JOBS_MAX = 256 };
static const unsigned option_commands[OPTION_COUNT] = {
    [OPTION_SEED] = OF(COMMAND_RUN) | OF(COMMAND_SWEEP),
    [OPTION_SET] = OF(COMMAND_RUN) | OF(COMMAND_SWEEP),
    [OPTION_OUT] = OF(COMMAND_RUN) | OF(COMMAND_REPORT),
    [OPTION_O] = OF(COMMAND_RUN) | OF(COMMAND_REPORT),
    [OPTION_DB] = OF(COMMAND_RUN) | OF(COMMAND_SWEEP),
    [OPTION_JUNIT] = OF(COMMAND_RUN) | OF(COMMAND_SWEEP),
    [OPTION_J] = OF(COMMAND_SWEEP),
    [OPTION_NO_DB] = OF(COMMAND_RUN),
    [OPTION_VERIFY] = OF(COMMAND_RUN),
    [OPTION_TRACE] = OF(COMMAND_RUN),
    [OPTION_PLOTS] = OF(COMMAND_RUN),
    [OPTION_JSON] = OF(COMMAND_RUN),
    [OPTION_QUIET] = OF(COMMAND_RUN) | OF(COMMAND_SWEEP),
    [OPTION_CSV] = OF(COMMAND_REPORT),
    [OPTION_HELP] = ~0u,
};

static bool option_has_value(enum option option)
{
    return option <= OPTION_J;
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

/* ---- run ------------------------------------------------------------------------------------- */

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
    if (*value == '\0') {
        buffer_append_format(words->error, "%s: must not be empty", option_names[option]);
        return false;
    }
    switch (option) {
    case OPTION_OUT:
    case OPTION_O: options->out = value; return true;
    case OPTION_DB: options->database = value; return true;
    case OPTION_JUNIT: options->junit = value; return true;
    default: CHECK_UNREACHABLE("an option without a value");
    }
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
    case OPTION_HELP: options->command = COMMAND_HELP; return;
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
    const char *value = equals != NULL ? equals + 1 : take_word(words);
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
        return blame(words, "run: needs the path of a scenario");
    }
    if (options->json && options->quiet) {
        return blame(words, "--json and --quiet exclude each other");
    }
    return true;
}

static bool parse_sweep(struct options *options, struct words *words)
{
    if (!parse_words(options, words) || options->command == COMMAND_HELP) {
        return words->error->size == 0;
    }
    return options->scenario_count == 1 || blame(words, "sweep: needs the path of one scenario");
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

/* ---- the other verbs ------------------------------------------------------------------------- */

static bool parse_list(struct options *options, struct words *words)
{
    const char *word = take_word(words);
    if (word == NULL) {
        return blame(words, "list: needs one of jobs, faults, facts, properties");
    }
    if (strcmp(word, "--help") == 0) {
        options->command = COMMAND_HELP;
        return true;
    }
    options->topic = (enum list_topic)find_name(topic_names, LIST_TOPIC_COUNT, bytes_of_text(word));
    if (options->topic == LIST_TOPIC_COUNT) {
        return blame_name(words, "list", bytes_of_text(word), topic_names, LIST_TOPIC_COUNT,
                          "there are jobs, faults, facts, properties");
    }
    return *words->at == NULL || blame(words, "list: takes one word only");
}

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
        return blame(&words, "needs a verb: run, sweep, report, list or help");
    }
    if (strcmp(verb, "run") == 0) {
        options->command = COMMAND_RUN;
        return parse_run(options, &words);
    }
    if (strcmp(verb, "sweep") == 0) {
        options->command = COMMAND_SWEEP;
        return parse_sweep(options, &words);
    }
    if (strcmp(verb, "report") == 0) {
        options->command = COMMAND_REPORT;
        return parse_report(options, &words);
    }
    if (strcmp(verb, "list") == 0) {
        options->command = COMMAND_LIST;
        return parse_list(options, &words);
    }
    if (strcmp(verb, "help") == 0 || strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0) {
        options->command = COMMAND_HELP;
        return true;
    }
    if (strcmp(verb, "--version") == 0) {
        options->command = COMMAND_VERSION;
        return true;
    }
    return blame_name(&words, "verb", bytes_of_text(verb), verb_names,
                      sizeof verb_names / sizeof *verb_names,
                      "there are run, sweep, report, list, help");
}

/* ---- help ------------------------------------------------------------------------------------ */

const char *options_help(void)
{
    return "faultline breaks a stream processor on purpose and checks that it recovers.\n"
           "\n"
           "  faultline run SCENARIO... [OPTION]...         run, judge, print the verdict\n"
           "  faultline sweep SCENARIO [OPTION]...          run every cell of its grid\n"
           "  faultline report [DB] [OPTION]...             figures and one HTML page\n"
           "  faultline list jobs|faults|facts|properties   what a scenario can name\n"
           "  faultline help | --version\n"
           "\n"
           "Options of run:\n"
           "  --seed N          another seed than the scenario's\n"
           "  --set PATH=VALUE  another value, such as checkpoint.interval=250ms; may be repeated\n"
           "  --out DIR         where the files go (default out/NAME; of several scenarios\n"
           "                    each has its own folder DIR/NAME)\n"
           "  --verify          run twice; both must leave the same trace hash\n"
           "  --trace           also write trace.jsonl (every fact) and timeline.json (Perfetto)\n"
           "  --plots           also write gnuplot scripts, and draw them if gnuplot is installed\n"
           "  --db FILE         the results database (default out/results.db)\n"
           "  --no-db           no results database\n"
           "  --json            print result.json instead of the text\n"
           "  --quiet           print one line a scenario instead of the text\n"
           "  --junit FILE      also write the verdicts as JUnit XML, for CI servers\n"
           "\n"
           "Options of sweep: --seed, --set, --db, --junit as above, and\n"
           "  -j N              how many runs at once (default: one a core)\n"
           "  --quiet           no progress, only the end\n"
           "A sweep that was stopped goes on where it was: cells that the database has from this\n"
           "build are not run again.\n"
           "\n"
           "Options of report:\n"
           "  -o DIR            where the page goes (default out/report)\n"
           "  --csv             also write the table behind each figure\n"
           "gnuplot must be installed for the figures.\n"
           "\n"
           "Files of a run:\n"
           "  output.txt        what the sink committed, in commit order\n"
           "  state.tsv         the final keyed state, sorted by key\n"
           "  run.json          the resolved scenario: run it to get the same run again\n"
           "  result.json       the verdict, with all numbers\n"
           "\n"
           "Exit codes:\n"
           "  0  pass\n"
           "  1  a wrong result, a broken property or an expectation not met\n"
           "  2  stuck: the job did not end\n"
           "  3  a bad scenario or command line\n"
           "  4  not deterministic\n"
           "  5  a planned fault never fired\n"
           "  6  the surroundings failed: disk full, file unreadable\n"
           "Of several scenarios the worst counts, in the order 1, 4, 2, 5, 6, 3, 0.\n";
}
