#!/bin/sh
# Follows ops/Dockerfile without a container engine: each stage is a folder, and what it starts in
# the end runs there, as a user without rights where this shell may choose one.
exec node "$(dirname "$0")/container-steps.ts" "$@"
