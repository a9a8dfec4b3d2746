#!/bin/bash
# Healthy: GET /health/ready on the given port of this container responds 200. Bash opens the socket, because starting Bun for
# each check takes more CPU than the service that it checks takes while idle. Bash speaks no TLS, so a port that only speaks
# HTTPS is checked by Bun after all: set ADMIN_PORT to avoid it.
# Usage: health-check.sh PORT [https]
set -euo pipefail
if [[ ${2:-} == https ]]; then
  # The certificate is for the service's name, not for this address.
  exec bun -e '
    const url = `https://127.0.0.1:${process.argv.at(-1)}/health/ready`;
    const { status } = await fetch(url, { tls: { rejectUnauthorized: false }, signal: AbortSignal.timeout(2_000) });
    process.exit(status === 200 ? 0 : 1);
  ' "$1"
fi
exec 3<>"/dev/tcp/127.0.0.1/$1"
printf 'GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r -t 2 _ status _ <&3
[[ $status == 200 ]]
