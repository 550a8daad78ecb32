# SPDX-License-Identifier: GPL-2.0-only
# What can be made here. On a fresh Debian 12 every target first sets up what it needs.

VENV := .venv
PYTHON := $(VENV)/bin/python
PYTEST := $(VENV)/bin/pytest

# What `make demo` runs in the virtual machine.
DEMO = vm/demo

# Every Debian package that the targets install; what guests of another architecture have is in vm/sctvm/userland.py.
PACKAGES := \
	python3 python3-venv \
	gcc gcc-12 gcc-12-aarch64-linux-gnu make pahole libc6-dev libelf1 libudev1 \
	bc bison flex libelf-dev xz-utils \
	clang-14 libclang-rt-14-dev \
	qemu-system-x86 qemu-system-arm busybox-static cpio patchelf file udev kmod iproute2 procps strace linux-perf

MISSING := $(filter-out $(shell dpkg-query -W -f '$${db:Status-Status}-$${Package}\n' $(PACKAGES) 2>/dev/null \
	| sed -n 's/^installed-//p'), $(PACKAGES))

# One command for every kernel that is tested so (vm/kernels.toml), $$kernel; the first that fails ends it.
ON_KERNELS = set -e; for kernel in $$(vm/run --names $(1)); do echo "$$kernel: $@"; $(2); done

HOST_TESTS := $(wildcard tests/unit tests/golden tests/bad tests/random)
GUEST_TESTS := $(wildcard tests/runtime tests/abi)
IN_GUEST = vm/run $(1) --modules kmod --modules tests/kmod --append "syscall.x32=y vsyscall=xonly" --timeout 4200 -- $(PYTEST) -p no:cacheprovider $(GUEST_TESTS)

# Only a guest without shares can sleep.
ASLEEP = vm/run $(1) --in-memory -- $(PYTEST) -p no:cacheprovider tests/runtime/test_asleep.py

# The modules come and go under load: so often.
CYCLES = 200

.DEFAULT_GOAL := help
.PHONY: help demo test test-host drawn test-guest test-smoke test-leaving test-vm test-early test-all soak tools modules modules-all coverage gen clean packages

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: tools modules ## see it work, in a virtual machine
	vm/run -- $(DEMO)

test: test-host test-guest test-smoke ## run the tests: on this machine, inside the default kernel, briefly in the others

test-host: tools
	$(if $(HOST_TESTS),$(PYTEST) $(HOST_TESTS),@echo "no host tests")

test-guest: tools drawn
	$(if $(GUEST_TESTS),$(call IN_GUEST),@echo "no guest tests")
	$(call ASLEEP)

# Rules in force, calls logged and refused, modules unloaded, console clean; and the demo, which checks what it shows.
test-smoke: tools
	vm/run -- $(DEMO)
	$(call ON_KERNELS,brief,vm/run --kernel $$kernel -- vm/smoke)

# What tests/runtime/test_random.py tries: guests are too slow to draw it.
drawn: tools
	$(PYTHON) tests/random/draw.py > $(VENV)/drawn.json

test-leaving: tools ## load and unload the modules under load, 200 times
	vm/run --modules kmod --modules tests/kmod --append syscall.x32=y --timeout 7200 -- \
		env SCT_CYCLES=$(CYCLES) $(PYTEST) -p no:cacheprovider tests/runtime/test_leaving.py

soak: tools ## let the reference judge a million random pairs of a rule and a call beside the compiler and the kernel's judge
	SCT_ROUNDS=$(or $(ROUNDS),30) $(PYTEST) -rP tests/random/test_reference.py

# On a machine without KVM this takes hours; `make -j3 test-all` runs several guests at a time.
# A kernel that fails keeps nobody from trying the others.
test-all: test-host test-vm test-early test-leaving drawn ## run all tests, on every supported kernel
	$(MAKE) --keep-going $(addprefix test-on-,$(shell vm/run --names all))

test-vm: tools
	$(PYTEST) vm/tests

test-on-%: tools drawn
	$(if $(GUEST_TESTS),$(call IN_GUEST,--kernel $*),@echo "no guest tests")
	$(call ASLEEP,--kernel $*)

# Kernels that are not supported yet: what fails is said, and fails nothing.
test-early: tools
	$(call ON_KERNELS,early,vm/run --kernel $$kernel -- vm/smoke || echo "Warning: vm/smoke fails on $$kernel" >&2)

tools: $(VENV)/.stamp ## set up the commands: .venv/bin

modules: packages ## build the modules for the default kernel
	vm/build

modules-all: packages ## build the modules for every supported kernel
	$(call ON_KERNELS,all,vm/build --kernel $$kernel)

coverage: tools ## find out what rules reach on every kernel, for docs/coverage.md
	mkdir -p docs/coverage
	$(call ON_KERNELS,brief,vm/run --kernel $$kernel --append syscall.x32=y -- $(PYTHON) vm/coverage > docs/coverage/new \
		&& mv docs/coverage/new docs/coverage/$$kernel.json)
	$(PYTHON) grammar/gen.py

gen: tools ## render what is generated from the specification
	$(PYTHON) grammar/gen.py

clean: ## remove what was made here; downloads stay in the cache
	rm -rf $(VENV) sct.egg-info .pytest_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
	$(if $(wildcard kmod/modules.order),$(MAKE) -C kmod clean)

$(VENV)/.stamp: pyproject.toml | packages
	$(or $(wildcard /usr/bin/python3),python3) -m venv $(VENV)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --editable .[test,vm]
	@touch $@

packages:
ifneq ($(MISSING),)
	@test "$$(id -u)" = 0 || { echo "Missing packages; as root: apt-get install $(MISSING)" >&2; exit 1; }
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $(MISSING) >/dev/null
endif
