# Kentongan. `make help` lists the verbs. Everything a machine needs beyond Go, gcc, make and Node is fetched by these rules.
SHELL := /bin/bash
.DEFAULT_GOAL := help

BIN      := bin/kentongan
GO_SRC   := $(shell find server geo feeds alerts frontend/embed.go -name '*.go' -o -name '*.lua' -o -name '*.yaml' -o -name '*.json' 2>/dev/null | grep -v -e node_modules -e _test.go)
WEB_SRC  := $(shell find frontend/src frontend/messages frontend/public -type f 2>/dev/null | grep -v paraglide) $(wildcard frontend/*.html frontend/*.ts frontend/*.js frontend/*.json)
NPM_DONE := frontend/node_modules/.installed
WEB_DONE := frontend/dist/.built
VERSION  ?= $(shell git describe --always --dirty 2>/dev/null || echo dev)
# One way to build for the program, its tests and its linters, so that they share what is compiled; a machine of CI begins with nothing.
export GOFLAGS := $(filter-out -trimpath,$(shell go env GOFLAGS)) -trimpath
# ST1005 is off: an error that names a field of the producer begins as the producer writes it ("Magnitude ...").
STATICCHECK := go tool -modfile=deploy/tools/go.mod staticcheck -checks inherit,-ST1005

# The tests' own programs are found where Debian puts them, also where PATH leaves that out.
needs go-test go-test-race go-test-plain e2e goldens bench bench-wall chaos: export PATH := $(PATH):/usr/bin

.PHONY: help build run test lint format generate generate-check bench bench-wall goldens e2e fuzz chaos needs web-test go-test go-test-race go-test-plain checks clean

help: ## list the verbs
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

build: $(BIN) ## build bin/kentongan with the frontend inside

$(NPM_DONE): frontend/package-lock.json
	cd frontend && npm ci --no-progress --loglevel=error
	@touch $@

$(WEB_DONE): $(NPM_DONE) $(WEB_SRC)
	cd frontend && npm run --silent build
	@touch $@

$(BIN): $(WEB_DONE) $(GO_SRC) go.mod go.sum
	go build -ldflags '-s -w -X kentongan/server/cli.Version=$(VERSION)' -o $@ ./server

run: $(BIN) ## start the demo and print one URL to open; REPLAY=folder plays recorded files instead of the feeds; SCENARIO=galodo, THINGS=20000
	exec $(BIN) serve --config deploy/demo.yaml --open-link $(if $(REPLAY),--replay '$(REPLAY)') $(if $(SCENARIO),--scenario '$(SCENARIO)') $(if $(THINGS),--things '$(THINGS)')

needs: ## install what the tests need: a real redis-server and Chromium
	@deploy/tools/needs.sh redis-server chromium

test: needs ## the whole gate: format, vet, lint, generated code, race tests, frontend and browser tests
	@$(MAKE) --no-print-directory generate-check
	@$(MAKE) --no-print-directory $(WEB_DONE)
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target go-test-race checks # the first mostly waits, the second computes
	@$(MAKE) --no-print-directory e2e

# One after the other: several write the frontend's messages anew.
checks: needs
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory web-test
	@$(MAKE) --no-print-directory go-test-plain

go-test: go-test-race go-test-plain ## all tests in Go

# Bytes in and records out, in one goroutine: the race detector has nothing to find there, and whoever calls these rooms at once is tested
# with it. So it is with the handlers of server/api and the accounts of server/{auth,people}, which servers of server/app call at once: most of
# what the detector slowed there was argon2. All others run with it. -vet=off: `make lint` vets everything, once instead of for each kind of build.
PLAIN := ./feeds/formats/... ./feeds/bounded ./feeds/cap ./feeds/fields ./feeds/mapped ./feeds/register ./geo ./geo/area ./geo/keyspace ./feeds/simulator/storm/... ./server/bench/rage ./alerts/alarm ./alerts/fusion ./alerts/rules/... ./alerts/plan ./alerts/statement ./alerts/status ./alerts/figures ./alerts/unit ./alerts/dispatch ./alerts/recommend ./server/api ./server/auth ./server/people/... ./alerts/audit/verify/... ./alerts/incident ./alerts/report ./alerts/contact ./alerts/ladder ./alerts/notify ./server/public

# -parallel 8: what is parallel in server/app waits for leases, drains and feeds; more at once would be late for one another on two cores.
# -p 3: one of the packages is server/app, which waits. It stands first, so that nothing waits for it at the end.
go-test-race: needs $(WEB_DONE)
	set -o pipefail; raced=$$(go list ./... | grep -vxFf <(go list $(PLAIN))) && \
	deploy/tools/go-tests.sh -race -vet=off -timeout 15m -p 3 -parallel 8 -- ./server/app ./feeds/runner ./server/hub $$raced

go-test-plain: needs $(WEB_DONE)
	deploy/tools/go-tests.sh -vet=off -timeout 8m -- $(PLAIN)
	deploy/tools/plain-tests.sh -vet=off -timeout 5m

web-test: $(NPM_DONE)
	cd frontend && npm run --silent check && npm run --silent test

lint: $(NPM_DONE) ## formatting, vet, staticcheck, eslint, prettier, svelte-check
	@out=$$(gofmt -l server geo feeds alerts frontend/embed.go); if [ -n "$$out" ]; then echo "not gofmt'd:"; echo "$$out"; exit 1; fi
	go vet ./...
	$(STATICCHECK) ./...
	cd frontend && npm run --silent lint && npm run --silent format

generate: $(NPM_DONE) ## write what is generated: wire types in Go and TypeScript, sample configuration
	go run ./server/wire/tsgen
	deploy/tools/wire.sh
	go run ./server config-sample > deploy/kentongan.sample.yaml.new && mv deploy/kentongan.sample.yaml.new deploy/kentongan.sample.yaml

generate-check: generate ## fail where generated files are not what is committed, or the live schema breaks old clients
	git diff --exit-code -- frontend/src/wire server/wire deploy/kentongan.sample.yaml

e2e: needs $(BIN) ## browser tests of the real binary
	deploy/tools/e2e.sh

goldens: needs $(BIN) ## take the gallery's pictures anew for this version of Chromium; look at them before you commit
	TRY=1 KENTONGAN_GOLDENS=write deploy/tools/e2e.sh gallery.spec.ts

bench: needs $(BIN) ## the figures of the issue beside their goals
	go run ./server/bench -bin $(BIN)

bench-wall: needs $(BIN) ## the wall's figures: cold load, act to socket, main thread, incident to glass, heap over HOURS (1/6)
	go run ./server/bench -bin $(BIN) -only paint,wall,screen $(if $(HOURS),-hours $(HOURS))

chaos: needs $(BIN) ## kill -9 of server and store in mid-ingest, 20 times; of one of two servers and of a Sentinel set's primary; a leader that sleeps; of whoever judges in mid-storm, 50 times; of server and store under incidents at work, 50 times each
	go run ./server/bench -bin $(BIN) -only kill,evaluator,cases,cases-store
	KENTONGAN_CHAOS=1 KENTONGAN_BIN=$(abspath $(BIN)) go test ./server/app -count=1 -timeout 15m -v -run 'Ledger|Paused|Polls'

FUZZTIME ?= 60s
fuzz: ## fuzz each decoder for FUZZTIME (60s)
	deploy/tools/fuzz.sh $(FUZZTIME)

clean: ## remove what was built
	rm -rf bin frontend/dist/assets frontend/dist/*.html $(WEB_DONE) frontend/node_modules
