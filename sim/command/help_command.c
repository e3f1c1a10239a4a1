#include "sim/command/help_command.h"

#include <stdio.h>
#include <string.h>

#include "model/base/check.h"

#define OF(command) (1u << (command))
#define RUN         OF(COMMAND_RUN)
#define LIVE        OF(COMMAND_LIVE)
#define SWEEP       OF(COMMAND_SWEEP)
#define REPORT      OF(COMMAND_REPORT)
#define PREDICT     OF(COMMAND_PREDICT)
#define FUZZ        OF(COMMAND_FUZZ)
#define ENUMERATE   OF(COMMAND_ENUMERATE)
#define SHRINK      OF(COMMAND_SHRINK)
#define CALIBRATE   OF(COMMAND_CALIBRATE)
#define COMPARE     OF(COMMAND_COMPARE)
#define CAMPAIGNS   (FUZZ | ENUMERATE | SHRINK)

struct verb_help {
    enum command command;
    const char *usage;
    const char *summary;
    const char *note; /* more about it, whole lines; "": nothing */
};

/* In the order of the manual, as are the options below. */
static const struct verb_help verbs[] = {
    { COMMAND_RUN, "run SCENARIO... [OPTION]...", "run, judge, print the verdict", "" },
    { COMMAND_LIVE, "live SCENARIO... [OPTION]...", "the same on real processes and files",
      "A crash is SIGKILL, a pause is SIGSTOP. Faults that cannot be caused for real are\n"
      "refused. Interrupting it ends it with exit code 6, and leaves no process behind.\n" },
    { COMMAND_SWEEP, "sweep SCENARIO... [OPTION]...", "run every cell of its grid",
      "A sweep that was stopped goes on where it was: cells that the database has from this\n"
      "build are not run again.\n" },
    { COMMAND_REPORT, "report [DB] [OPTION]...", "figures and one HTML page",
      "The results database is out/results.db, if none is given. gnuplot must be installed\n"
      "for the figures.\n" },
    { COMMAND_PREDICT, "predict SCENARIO [OPTION]...", "what the models say, and an interval",
      "How much state there is, and what checkpoints cost, is measured in a run without the\n"
      "scenario's faults; the recoveries in one with them.\n" },
    { COMMAND_FUZZ, "fuzz SCENARIO [OPTION]...", "random faults, one run a seed",
      "A run that fails is stored as a scenario that repeats it. Interrupting it ends it\n"
      "with a summary.\n" },
    { COMMAND_ENUMERATE, "enumerate SCENARIO [OPTION]...", "a crash at every step of the protocol",
      "The steps are those of the first three checkpoints, of the last one and of none, so\n"
      "a small job is as good as a large one: there is a run for each.\n" },
    { COMMAND_SHRINK, "shrink SCENARIO [OPTION]...", "the smallest one that fails alike",
      "Interrupting it, or --time, ends it with the best so far.\n" },
    { COMMAND_CALIBRATE, "calibrate [OPTION]...", "what this machine takes, as a scenario",
      "Another scenario can be \"like\" the file: then simulated time is about the time of\n"
      "this machine.\n" },
    { COMMAND_COMPARE, "compare SCENARIO [OPTION]...", "simulated and live, side by side",
      "The exit code is 0 if the results are equal and every rule was kept, however long it\n"
      "took.\n" },
    { COMMAND_LIST, "list jobs|backends|faults|facts|properties|marks", "what can be named", "" },
};
enum { VERB_COUNT = sizeof verbs / sizeof *verbs, NAMED_WIDTH = 66 };

/* What an option does for some verbs: lines that begin with two blanks and its name. */
struct option_help {
    unsigned verbs; /* as bits */
    const char *text;
};

static const struct option_help options_of_verbs[] = {
    { RUN | LIVE | SWEEP | PREDICT | COMPARE | CAMPAIGNS,
      "  --seed N          another seed than the scenario's\n" },
    { RUN | LIVE | SWEEP | PREDICT | COMPARE | CAMPAIGNS,
      "  --set PATH=VALUE  another value, such as checkpoint.interval=250ms; may be repeated\n" },
    { CALIBRATE, "  --set PATH=VALUE  another job or backend to measure, as in a scenario\n" },
    { RUN | LIVE,
      "  -o, --out DIR     where the files go (default out/NAME, of live out/live/NAME;\n"
      "                    of several scenarios each has its own folder DIR/NAME)\n" },
    { SWEEP, "  -o, --out DIR     also make the page of report in DIR; the database is then\n"
             "                    DIR/results.db, if --db names no other\n" },
    { REPORT, "  -o, --out DIR     where the page goes (default out/report)\n" },
    { CALIBRATE, "  -o FILE           where to write (default out/calibration.json)\n" },
    { COMPARE,
      "  --out DIR         where the live files are meanwhile (default out/compare/NAME)\n" },
    { FUZZ | ENUMERATE,
      "  -o, --out DIR     failing runs are stored in DIR/failures (default out/failures)\n" },
    { SHRINK, "  -o, --out FILE    where to write (default SCENARIO-small.json)\n" },
    { RUN, "  --verify          run twice; both must leave the same trace hash\n" },
    { RUN | LIVE, "  --trace           also write trace.jsonl (every fact) and timeline.json "
                  "(Perfetto)\n" },
    { RUN | LIVE, "  --plots           also write gnuplot scripts, and draw them if gnuplot is "
                  "installed\n" },
    { RUN | LIVE | SWEEP | COMPARE,
      "  --db FILE         the results database (default out/results.db)\n" },
    { RUN | LIVE | COMPARE, "  --no-db           no results database\n" },
    { RUN | LIVE, "  --json            print result.json instead of the text\n" },
    { PREDICT, "  --json            print the same as one JSON object\n" },
    { RUN | LIVE, "  --quiet           print one line a scenario instead of the text\n" },
    { SWEEP | CAMPAIGNS, "  --quiet           no progress, only the end\n" },
    { RUN | LIVE | SWEEP, "  --junit FILE      also write the verdicts as JUnit XML, for CI "
                          "servers\n" },
    { LIVE | COMPARE, "  --threads         threads instead of processes\n" },
    { LIVE, "  --skip-faults     leave out the faults that cannot be caused for real\n" },
    { REPORT | SWEEP, "  --csv             also write the table behind each figure\n" },
    { COMPARE, "  --csv             print the numbers as CSV\n" },
    { PREDICT, "  --failure-rate R  how often the job fails, such as 3/day, 1/h, 0.075/min\n" },
    { PREDICT, "  --recovery-limit D  how long a recovery may take, such as 30s\n" },
    { COMPARE,
      "  --calibration FILE  what calibrate wrote, instead of the scenario's own costs\n" },
    { COMPARE, "  --recalibrate     measure messages and the store again around each live run\n" },
    { COMPARE, "  -n N              how often for real; the median counts (default 1)\n" },
    { SWEEP | CAMPAIGNS, "  -j N              how many runs at once (default: one a core)\n" },
    { FUZZ, "  --seeds A..B      one run a seed (default 1..1000; with --time from 1 on)\n" },
    { CAMPAIGNS, "  --time T          begin no further run after this real time\n" },
    { FUZZ, "  --faults N        at most so many faults a run (default 5)\n" },
    { FUZZ, "  --shrink          also shrink the first failure of each kind\n" },
    { FUZZ, "  --require-marks M,...  fail unless each of these marks was hit\n" },
    { ENUMERATE, "  --pairs[=N]       also a second crash after each first one, until the job has\n"
                 "                    recovered; at most N steps later\n" },
};
enum { OPTION_TEXT_COUNT = sizeof options_of_verbs / sizeof *options_of_verbs };

static const char files_text[] =
    "Files of a run:\n"
    "  output.txt        what the sink committed, in commit order\n"
    "  state.tsv         the final keyed state, sorted by key\n"
    "  run.json          the resolved scenario: run it to get the same run again\n"
    "  result.json       the verdict, with all numbers\n";

static const char exit_codes_text[] =
    "Exit codes:\n"
    "  0  pass\n"
    "  1  a wrong result, a broken property or an expectation not met\n"
    "  2  stuck: the job did not end\n"
    "  3  a bad scenario, command line or input\n"
    "  4  not deterministic\n"
    "  5  a planned fault never fired\n"
    "  6  the surroundings failed: disk full, a file missing or unreadable\n"
    "Of several scenarios the worst counts, in the order 1, 4, 2, 5, 6, 3, 0.\n";

static bool has_options(const struct verb_help *verb)
{
    for (size_t i = 0; i < OPTION_TEXT_COUNT; i++) {
        if ((options_of_verbs[i].verbs & OF(verb->command)) != 0) {
            return true;
        }
    }
    return false;
}

/* What was told for a verb before is only named. */
static void print_named(unsigned told, const struct verb_help *verb)
{
    bool is_first = true;
    int width = printf("Options of %s:", verb_name(verb->command));
    for (size_t i = 0; i < OPTION_TEXT_COUNT; i++) {
        const struct option_help *option = &options_of_verbs[i];
        if ((option->verbs & OF(verb->command)) != 0 && (option->verbs & told) != 0) {
            const char *comma = is_first ? "" : ",";
            if (width > NAMED_WIDTH) {
                width = printf("%s\n ", comma) - (int)strlen(comma) - 1;
                comma = "";
            }
            width +=
                printf("%s %.*s", comma, (int)strcspn(option->text + 2, " ,"), option->text + 2);
            is_first = false;
        }
    }
    (void)printf("%s\n", is_first ? "" : " as above, and");
}

static void print_options(unsigned told, const struct verb_help *verb)
{
    for (size_t i = 0; i < OPTION_TEXT_COUNT; i++) {
        const struct option_help *option = &options_of_verbs[i];
        if ((option->verbs & OF(verb->command)) != 0 && (option->verbs & told) == 0) {
            (void)fputs(option->text, stdout);
        }
    }
}

static void print_all(void)
{
    (void)fputs("faultline breaks a stream processor on purpose and checks that it recovers.\n\n",
                stdout);
    for (size_t i = 0; i < VERB_COUNT; i++) {
        (void)printf("  faultline %-34s  %s\n", verbs[i].usage, verbs[i].summary);
    }
    (void)fputs("  faultline help [VERB] | --version\n\n", stdout);
    unsigned told = 0;
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (has_options(&verbs[i])) {
            print_named(told, &verbs[i]);
            print_options(told, &verbs[i]);
            (void)fputs(verbs[i].note, stdout);
            (void)fputs("\n", stdout);
            told |= OF(verbs[i].command);
        }
    }
    (void)fputs(files_text, stdout);
    (void)fputs("\n", stdout);
    (void)fputs(exit_codes_text, stdout);
}

void help_command(enum command command)
{
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (verbs[i].command == command) {
            (void)printf("faultline %s\n  %s\n", verbs[i].usage, verbs[i].summary);
            (void)printf("%s%s", verbs[i].note[0] != '\0' ? "\n" : "", verbs[i].note);
            (void)fputs(has_options(&verbs[i]) ? "\nOptions:\n" : "", stdout);
            print_options(0, &verbs[i]);
            (void)fputs("\nfaultline help tells of all verbs, and of exit codes.\n", stdout);
            return;
        }
    }
    print_all();
}
