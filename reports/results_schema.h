/* results_schema.h - the text of schema.sql, for the program to carry with it. */
#ifndef FAULTLINE_REPORTS_RESULTS_SCHEMA_H
#define FAULTLINE_REPORTS_RESULTS_SCHEMA_H

enum {
    RESULTS_APPLICATION_ID = 0x464c544e, /* "FLTN": marks the file as ours */
    RESULTS_SCHEMA_VERSION = 1           /* rises with every change of schema.sql */
};

/* One SQL statement each with its comments; ends with NULL. Joined, they are schema.sql. */
extern const char *const results_schema[];

#endif
