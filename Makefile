# Everything a fresh Debian or Ubuntu machine with Python 3.11 or newer needs; each target does its own set-up.
# The Debian packages: what the lab runs on, and the real daemons that the tests speak to.
LAB_PACKAGES := iproute2 util-linux
MACHINE_PACKAGES := mmdebstrap systemd-container zstd tar apt-utils nginx-light sqop
TEST_PACKAGES := $(LAB_PACKAGES) $(MACHINE_PACKAGES) snmpd snmp chrony dnsmasq-base openssh-server openssh-client fping \
	prometheus prometheus-alertmanager prometheus-blackbox-exporter curl postgresql shellcheck dash \
	chromium fonts-liberation2 poppler-utils libreoffice-calc-nogui prometheus-node-exporter prometheus-snmp-exporter \
	nftables e2fsprogs openssl libatomic1
PYTHON := .venv/bin/python

.PHONY: env demo test lint soak bench lock messages
env: .venv/.ready

.venv/.ready: requirements.txt pyproject.toml build_catalogues.py $(wildcard inventory/locale/*/LC_MESSAGES/*.po)
	bin/environment

demo: env
	bin/debian-packages $(LAB_PACKAGES)
	.venv/bin/tuyen lab demo .demo/kien-giang

lint: env
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	PATH="$(CURDIR)/.venv/bin:$$PATH" ANSIBLE_ROLES_PATH=playbooks/roles .venv/bin/ansible-lint --offline -q \
		--profile production playbooks/jobs playbooks/roles
	$(PYTHON) bin/catalogue check

test: env
	bin/debian-packages $(TEST_PACKAGES)
	$(PYTHON) -m pytest -m "alone and not soak" --durations=10
	$(PYTHON) -m pytest -m "not alone and not soak" --numprocesses 3 --dist loadfile \
		--durations=40

soak: env
	bin/debian-packages $(TEST_PACKAGES)
	$(PYTHON) -m pytest -m soak

bench: env
	bin/debian-packages $(TEST_PACKAGES)
	$(PYTHON) -m benchmarks

lock:
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 pyproject.toml --group dev \
		--output-file requirements.txt

messages: env
	$(PYTHON) bin/catalogue update
	$(PYTHON) bin/catalogue check
