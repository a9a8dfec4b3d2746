#!/bin/bash
# Healthy: GET /health/ready on the given port of this container responds 200. Bash opens the socket, because starting Bun for
# each check takes more CPU than the service that it checks takes while idle.
set -euo pipefail
exec 3<>"/dev/tcp/127.0.0.1/$1"
printf 'GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r -t 2 _ status _ <&3
[[ $status == 200 ]]
