/* results_schema.h - the text of schema.sql, for the program to carry with it. */
#ifndef FAULTLINE_REPORTS_RESULTS_SCHEMA_H
#define FAULTLINE_REPORTS_RESULTS_SCHEMA_H

enum {
    RESULTS_APPLICATION_ID = 0x464c544e, /* "FLTN": marks the file as ours */
    RESULTS_SCHEMA_VERSION = 5           /* rises with every change of schema.sql */
};

/* One SQL statement each with its comments; ends with NULL. Joined, they are schema.sql. */
extern const char *const results_schema[];

/* What an older file lacks: tables that came after schema 1, and those that came after schema 3,
 * in results_schema too; and columns that came after schemas 2 and 4. Each ends with NULL. */
extern const char *const *const results_schema_since_1;
extern const char *const *const results_schema_since_3;
extern const char *const results_schema_since_2[];
extern const char *const results_schema_since_4[];

#endif
