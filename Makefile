# SPDX-License-Identifier: GPL-2.0-only
# What a person types. Kbuild says what is built; the work is done by scripts/ and tests/.

SHELL := /bin/bash
KVER ?= $(shell uname -r)
KERNELS := $(shell scripts/kernels 2>/dev/null)
export KVER

help:
	@sed -n 's/^## //p' $(firstword $(MAKEFILE_LIST))

## make demo              a guest exports a file through targetcli, puts a file system on it, verifies
demo:
	@scripts/demo

## make check             the gate: builds, lint, every suite at a stated size; at most an hour
check:
	@scripts/check

## make check-long        the same suites at full counts, resumable; hours
check-long:
	@TCM_LONG=1 scripts/check

## make modules KVER=...  build for one kernel into build/<KVER>/*.ko
modules:
	@scripts/build-modules $(KVER) W=1 TCM_WERROR=y

## make install           on this host, by DKMS into updates/; make uninstall brings the stock target back
install:
	@scripts/install
uninstall:
	@scripts/uninstall

## make shell             a guest with the modules loaded and targetcli ready
shell: deps
	@read -r kernel < <(scripts/kernels) && scripts/build-modules "$$kernel" >/dev/null
	@tests/vm/shell

## make vm T=name         integration scripts tests/integration/<name>*.sh, all without T
vm: deps
	@scripts/build-all
	@tests/vm/suite $(T)

## make lint              checkpatch, sparse with endian checks, layering, file sizes, shellcheck
lint: deps
	@scripts/lint

deps:
	@scripts/ci-deps.sh

## make kunit             the KUnit suites on the debug kernel, with coverage
kunit: deps
	@scripts/kunit

## make check-gate        planted bugs: each must turn the gate red
check-gate: deps
	@scripts/check-gate

## make fuzz              the parsers in user space under libFuzzer; TCM_LONG=1: two minutes each
fuzz: deps
	@scripts/fuzz

## make bench             instructions per I/O: stock, ours, nvmet; ROWS=pattern KERNELS=6.1 for a part
bench: modules-all
	@scripts/bench

## make bench-check       some of them against tests/bench/baseline; make bench-baseline records them there
bench-check: modules-all
	@scripts/bench --check
bench-baseline: modules-all
	@scripts/bench --update

modules-all: deps
	@for k in $(KERNELS); do scripts/build-modules $$k >/dev/null || exit; done

## make clean             remove build/ and results/
clean:
	rm -rf build results

.PHONY: help demo check check-long modules install uninstall shell vm lint kunit fuzz check-gate bench bench-check bench-baseline modules-all deps clean
