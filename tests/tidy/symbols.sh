#!/usr/bin/env bash
# symbols.sh [BUILD] - checks the objects of a build (build/release): the model outside live/ calls
# only itself and what allowed_symbols.txt names, and no object holds a writable global.
# Closes with `symbols: N passed, M failed`, counting objects.
set -u
. "$(dirname "$0")/../lib.sh"

build=${1:-build/release}
allowed=tests/tidy/allowed_symbols.txt

# Objects are found by their sources, so that what is left of a file that is gone is not looked at.
objects_of() {
    project_files | grep -E "^($1)/.*\.c$" | sed "s|^|$build/|; s|\.c\$|.o|"
}
mapfile -t model_objects < <(objects_of model | grep -v /model/live/)
mapfile -t all_objects < <(objects_of 'model|sim|reports')

for object in "${all_objects[@]}"; do
    [ -f "$object" ] || fail "$object is missing; build it first"
done
[ "$failed" -eq 0 ] || close symbols

source_of() {
    local source=${1#"$build"/}
    printf '%s.c' "${source%.o}"
}

defined=$(nm -A --defined-only -g "${model_objects[@]}" | awk '{ print $NF }' | sort -u)
while read -r object symbol; do
    source=$(source_of "$object")
    fortified=${symbol#__}
    for name in "$symbol" "${fortified%_chk}"; do
        awk -v name="$name" -v file="${source%.c}" \
            '$1 == name && (NF == 1 || $2 == file) { found = 1 } END { exit !found }' "$allowed" &&
            continue 2
    done
    grep -qxF "$symbol" <<<"$defined" && continue
    line=$(grep -nwF -m 1 "$symbol" "$source" | cut -d: -f1)
    fail "$source:${line:-1}: the model must not call $symbol"
done < <(nm -A -u "${model_objects[@]}" | sed -E 's/^([^:]+):.* ([^ ]+)$/\1 \2/')

# Constant tables of pointers stand in .data.rel.ro, which is read-only once the program runs.
for object in "${all_objects[@]}"; do
    while read -r symbol; do
        source=$(source_of "$object")
        line=$(grep -nwF -m 1 "${symbol%%.*}" "$source" | cut -d: -f1)
        fail "$source:${line:-1}: $symbol is a writable global"
    done < <(objdump -t "$object" | awk '
        / O / {
            section = $(NF - 2)
            writable = section ~ /^\.(data|bss|tdata|tbss)/ || section == "*COM*"
            if (writable && section !~ /^\.data\.rel\.ro/)
                print $NF
        }')
done

passed=$((${#all_objects[@]} > failed ? ${#all_objects[@]} - failed : 0))
close symbols
