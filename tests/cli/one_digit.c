/* A library to load before the program: of the places that the program writes as FILE:LINE, the
 * first gets another last digit. It makes the first of two runs differ from the second, and so
 * shows that `--verify` would notice. */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int vsnprintf(char *restrict text, size_t size, const char *restrict format, va_list arguments)
{
    static int count;
    int (*real)(char *, size_t, const char *, va_list);
    *(void **)&real = dlsym(RTLD_NEXT, "vsnprintf");
    int length = real(text, size, format, arguments);
    if (size > 0 && strcmp(format, "%s:%llu") == 0 && count++ == 0) {
        text[length - 1] ^= 1;
    }
    return length;
}
