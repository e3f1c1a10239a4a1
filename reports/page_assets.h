/* page_assets.h - the style and the script of the report's page. */
#ifndef FAULTLINE_REPORTS_PAGE_ASSETS_H
#define FAULTLINE_REPORTS_PAGE_ASSETS_H

/* Lines, ended by NULL. CSS: light and dark, narrow and wide, screen and print. */
extern const char *const page_style[];

/* JavaScript: tables sort by the column whose head is pressed. The page is complete without it. */
extern const char *const page_script[];

#endif
