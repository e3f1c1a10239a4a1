# faultline: `make demo` and `make test` do all the set-up; `make help` lists the rest.

CONFIG ?= release
PREFIX ?= /usr/local
CLANG  ?= clang
ifeq ($(origin CC),default)
CC := gcc
endif
SHELL := /bin/sh
JOBS   = $$(nproc 2>/dev/null || echo 2)

# A variant is built with one CONFIG into build/CONFIG; all must compile without a warning and
# simulate the same. A packager whose compiler warns of more can say `make WERROR=`.
WERROR   ?= -Werror
sanitize := -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
optimise_release    := -O2
optimise_debug      := -O0
optimise_o3         := -O3
optimise_asan       := -O1 $(sanitize)
optimise_tsan       := -O1 -fno-omit-frame-pointer -fsanitize=thread
optimise_clang      := -O2
optimise_clang-asan := -O1 $(sanitize)
configs  := $(patsubst optimise_%,%,$(filter optimise_%,$(.VARIABLES)))
$(if $(filter $(CONFIG),$(configs)),,$(error CONFIG is one of: $(sort $(configs))))

WARNINGS   := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes $(WERROR)
ALL_CFLAGS  = -std=c17 -D_GNU_SOURCE -I. -g -ffp-contract=off \
              $(WARNINGS) $(optimise_$(CONFIG)) $(CFLAGS)
compile     = $(if $(filter clang%,$(CONFIG)),$(CLANG),$(CC)) $(ALL_CFLAGS)
LIBS        = -ljansson -lsqlite3 -lz $(zstd_libs) $(rocksdb_libs) -ldl -lpthread -lm

# The state backend `rocksdb` is there if its library is. Without it the rest is the same.
rocksdb_libs := $(shell echo 'int main(void) { return 0; }' | \
    $(CC) -x c -include rocksdb/c.h -o /dev/null - -lrocksdb 2>/dev/null && echo -lrocksdb)

# So is input that is compressed with zstd.
zstd_libs := $(shell echo 'int main(void) { return 0; }' | \
    $(CC) -x c -include zstd.h -o /dev/null - -lzstd 2>/dev/null && echo -lzstd)

build    := build/$(CONFIG)
build_id := $(shell git describe --always --dirty 2>/dev/null || echo unknown)

sources         := $(wildcard model/*.c model/*/*.c sim/*.c sim/*/*.c reports/*.c)
library_sources := $(filter-out sim/main.c,$(sources))
library_objects := $(library_sources:%.c=$(build)/%.o)
support_objects := $(patsubst %.c,$(build)/%.o,$(wildcard tests/support/*.c))
test_kinds      := unit contract crash golden oracle
test_programs   := $(patsubst %.c,$(build)/%,$(wildcard $(test_kinds:%=tests/%/test_*.c)))
bench_programs  := $(patsubst %.c,$(build)/%,$(wildcard tests/bench/bench_*.c))
main_object     := $(build)/sim/main.o
# Jobs as a user writes them; scenarios name them by these paths, whatever the CONFIG.
library_jobs    := $(patsubst %.c,build/libraries/%.so,\
                     $(notdir $(wildcard examples/*/*.c tests/libraries/*.c)))
objects := $(library_objects) $(main_object) $(support_objects) \
           $(test_programs:=.o) $(bench_programs:=.o)

.PHONY: all
all: $(build)/faultline ## the program, build/faultline (CONFIG=asan: build/asan/faultline)

ifeq ($(build),build/release)
all: build/faultline
build/faultline: $(build)/faultline
	@ln -sf release/faultline $@
endif

# --- for users --------------------------------------------------------------------------------

.PHONY: demo
demo: ## sets up, builds, runs one scenario with crashes and five sweeps; a page of figures
	@tests/setup.sh build
	@echo "building ..."
	@$(MAKE) -s -j$(JOBS) all
	@rm -rf out/demo out/headline
	@build/faultline run scenarios/demo.json --out out/demo --plots --trace
	@echo; echo "What does a checkpoint cost? Five sweeps, a minute or two:"
	@build/faultline sweep scenarios/sweeps/regime-*.json -o out/headline
	@tests/show_demo.sh out/demo out/headline/index.html

prefix = $(DESTDIR)$(PREFIX)

.PHONY: install
install: all ## the program, man page, schema and header into PREFIX; heeds DESTDIR
	install -d '$(prefix)/bin' '$(prefix)/share/man/man1' '$(prefix)/share/faultline' \
	    '$(prefix)/include/faultline'
	install -m 755 $(build)/faultline '$(prefix)/bin'
	install -m 644 sim/faultline.1 '$(prefix)/share/man/man1'
	install -m 644 scenarios/scenario.schema.json '$(prefix)/share/faultline'
	install -m 644 include/faultline/job.h '$(prefix)/include/faultline'

.PHONY: uninstall
uninstall: ## removes what install put there
	rm -f '$(prefix)/bin/faultline' '$(prefix)/share/man/man1/faultline.1'
	rm -f '$(prefix)/share/faultline/scenario.schema.json'
	rm -f '$(prefix)/include/faultline/job.h'
	-rmdir '$(prefix)/share/faultline' '$(prefix)/include/faultline'

.PHONY: clean
clean: ## removes build/ (what runs left in out/ stays)
	rm -rf build

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' \
	    $(firstword $(MAKEFILE_LIST))

# --- for developers ---------------------------------------------------------------------------

.PHONY: test
test: ## sets up, builds every variant, runs every test; ends: N passed, M failed
	@tests/setup.sh test
	@MAKE='$(MAKE)' tests/run_all.sh

.PHONY: tests
tests: $(test_programs) $(bench_programs) $(library_jobs) ## builds tests and benchmarks

.PHONY: libraries
libraries: $(library_jobs) ## the jobs that scenarios load from shared libraries

.PHONY: unit
unit: tests ## unit, contract, crash, golden and oracle tests of one CONFIG
	@tests/run_programs.sh $(test_programs)

.PHONY: asan
asan: ## the same under the address and undefined-behaviour sanitizers
	@$(MAKE) --no-print-directory CONFIG=asan unit

.PHONY: scenarios
scenarios: all $(library_jobs) ## every scenario in scenarios/; each must exit with 0
	@tests/run_scenarios.sh $(build)/faultline

.PHONY: determinism
determinism: ## the same trace hash from every compiler, optimisation and sanitizer
	@MAKE='$(MAKE)' tests/determinism.sh

.PHONY: tidy
tidy: $(library_objects) $(main_object) ## arrows between folders, forbidden symbols, style, mutants
	@tests/tidy/layers.sh
	@tests/tidy/symbols.sh $(build)
	@tests/tidy/style.sh
	@tests/tidy/mutants.sh

.PHONY: bench
bench: $(bench_programs) ## the benchmarks, one after the other
	@for program in $(bench_programs); do echo "$${program##*/}"; $$program || exit 1; done

.PHONY: mutants
mutants: ## plants known bugs, one at a time; some scenario must catch each
	@tests/mutants/run.sh

.PHONY: mutant-scores
mutant-scores: ## how soon fuzz finds each of them: writes tests/mutants/SCORES.md (15 min)
	@tests/mutants/score.sh

# --- rules ------------------------------------------------------------------------------------

# One line a file, or with V=1 the command itself; nothing with -s.
show = $(if $(V),,@$(if $(findstring s,$(firstword -$(MAKEFLAGS))),,echo '  $@';))

$(build)/faultline: $(main_object) $(build)/libfaultline.a
# Before the library, from which they take what nobody else does.
$(build)/tests/bench/bench_state: $(build)/tests/support/disk_host.o $(build)/tests/support/parts.o
$(bench_programs): %: %.o $(build)/libfaultline.a
$(test_programs): %: %.o $(support_objects) $(build)/libfaultline.a
$(test_programs): private check_libs := -lcheck -lsubunit -lrt -Wl,--wrap=_mark_point
$(build)/faultline $(bench_programs) $(test_programs):
	$(show) $(compile) -o $@ $^ $(check_libs) $(LIBS)

$(build)/libfaultline.a: $(library_objects)
	@rm -f $@
	$(show) ar rcs $@ $^

vpath %.c $(sort $(dir $(wildcard examples/*/*.c tests/libraries/*.c)))
$(library_jobs): build/libraries/%.so: %.c include/faultline/job.h
	@mkdir -p $(@D)
	$(show) $(CC) -std=c17 -O2 -g -Iinclude $(WARNINGS) -fPIC -shared -o $@ $<

$(build)/%.o: %.c $(build)/flags
	@mkdir -p $(@D)
	$(show) $(compile) $(own_flag) -MMD -MP -c -o $@ $<

# Only the file that prints the build id is compiled again when it changes.
$(main_object): $(build)/build_id
$(main_object): private own_flag := -DFAULTLINE_BUILD_ID='"$(build_id)"'

# Only the file that calls RocksDB or zstd is compiled again when that comes or goes.
rocksdb_object := $(build)/model/state/row_store_rocksdb.o
$(rocksdb_object): $(build)/rocksdb
$(rocksdb_object): private own_flag := $(if $(rocksdb_libs),-DFAULTLINE_ROCKSDB)

zstd_object := $(build)/sim/input/input_bytes.o
$(zstd_object): $(build)/zstd
$(zstd_object): private own_flag := $(if $(zstd_libs),-DFAULTLINE_ZSTD)

# Only this file has instructions that its caller must ask the processor for.
hash_avx2_object := $(build)/model/base/hash_avx2.o
machine := $(shell $(CC) -dumpmachine 2>/dev/null || echo unknown)
$(hash_avx2_object): private own_flag := $(if $(filter x86_64-%,$(machine)),-mavx2)

# These files change only when their text does, and with them what depends on them.
$(build)/flags $(build)/build_id $(build)/rocksdb $(build)/zstd: always
	@mkdir -p $(@D)
	@echo '$(text)' | cmp -s - $@ || echo '$(text)' > $@
$(build)/flags: private text = $(compile)
$(build)/build_id: private text = $(build_id)
$(build)/rocksdb: private text = $(rocksdb_libs)
$(build)/zstd: private text = $(zstd_libs)

.PHONY: always
.SECONDARY: $(objects)
-include $(objects:.o=.d)
