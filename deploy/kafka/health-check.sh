#!/bin/bash
# Healthy: the broker responds to a Metadata request, and the response lists a broker that takes records (itself).
# Kafka's own tools would ask the same, at a second of CPU for a Java start each time.
set -euo pipefail
port=${1:-9092}

exec 3<>"/dev/tcp/127.0.0.1/$port"
# size 21 | api key 3, version 4 | correlation id 1 | client id "health" | no topics | no automatic creation
printf '\0\0\0\025\0\003\0\004\0\0\0\001\0\006health\0\0\0\0\0' >&3
# size, correlation id, throttle time and the count of brokers: four bytes each
read -r -a response < <(timeout 2 head -c 16 <&3 | od -An -v -w16 -tu1)
((response[15] > 0))
