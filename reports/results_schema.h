/* results_schema.h - the text of schema.sql, for the program to carry with it. */
#ifndef FAULTLINE_REPORTS_RESULTS_SCHEMA_H
#define FAULTLINE_REPORTS_RESULTS_SCHEMA_H

enum {
    RESULTS_APPLICATION_ID = 0x464c544e, /* "FLTN": marks the file as ours */
    RESULTS_SCHEMA_VERSION = 3           /* rises with every change of schema.sql */
};

/* One SQL statement each with its comments; ends with NULL. Joined, they are schema.sql. */
extern const char *const results_schema[];

/* The statements that make schema 2 of schema 1, in results_schema too, and those that make schema
 * 3 of schema 2; each ends with NULL. */
extern const char *const *const results_schema_since_1;
extern const char *const results_schema_since_2[];

#endif
