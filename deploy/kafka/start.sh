#!/bin/bash
# Starts Kafka in its image with a data volume that may be new or an earlier container's.
# The image's own setup turns KAFKA_* variables into server.properties and formats the storage. It ends with a failure
# where the storage is formatted already, which is what every start but the first finds.
set -euo pipefail
config=/opt/kafka/config

/opt/kafka/bin/kafka-run-class.sh kafka.docker.KafkaDockerWrapper setup \
  --default-configs-dir /etc/kafka/docker --mounted-configs-dir /mnt/shared/config --final-configs-dir "$config" ||
  test -f "$KAFKA_LOG_DIRS/meta.properties"

exec /opt/kafka/bin/kafka-server-start.sh "$config/server.properties"
