# One build for the three images: docker build --target producer | consumer | bench.
# No Debian release is named: what the run stage needs from the build stage is linked statically or copied.
ARG BUN_VERSION=1.4.5

# --- The workspace's dependencies, without running any install script. ---
FROM oven/bun:${BUN_VERSION} AS dependencies
WORKDIR /app
COPY package.json bun.lock bunfig.toml ./
COPY bench/package.json bench/
COPY benchmarks/package.json benchmarks/
COPY packages/broker/package.json packages/broker/
COPY packages/cli-flags/package.json packages/cli-flags/
COPY packages/client/package.json packages/client/
COPY packages/contract/package.json packages/contract/
COPY packages/file-lock/package.json packages/file-lock/
COPY packages/http-server/package.json packages/http-server/
COPY packages/kafka/package.json packages/kafka/
COPY packages/kafka-native/package.json packages/kafka-native/
COPY packages/service/package.json packages/service/
COPY packages/testkit/package.json packages/testkit/
COPY packages/wait/package.json packages/wait/
COPY services/consumer/package.json services/consumer/
COPY services/producer/package.json services/producer/
RUN --mount=type=cache,target=/root/.bun/install/cache \
    bun install --frozen-lockfile --ignore-scripts --production \
      --filter ./services/producer --filter ./services/consumer --filter ./bench

# --- The native part of Confluent's client. Minutes of C++, so this stage copies its inputs and nothing else: ---
# --- BuildKit goes by their content, and builds again only when one of them changes.                          ---
FROM oven/bun:${BUN_VERSION} AS native
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates g++ make libssl-dev zlib1g-dev libzstd-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=dependencies /app/node_modules/@confluentinc/kafka-javascript node_modules/@confluentinc/kafka-javascript
COPY --from=dependencies /app/node_modules/node-api-headers node_modules/node-api-headers
COPY packages/kafka-native packages/kafka-native
COPY packages/file-lock node_modules/@ingest/file-lock
# Required: without the addon the image would be of no use. Static: the run stage has none of these libraries.
RUN KAFKA_NATIVE_REQUIRED=1 KAFKA_NATIVE_STATIC=1 bun packages/kafka-native/build/install.ts

# --- What runs: the client's JavaScript and its addon, without the C++ that the addon was made from, the tools  ---
# --- that would fetch a prebuilt one, and the compiler that Elysia names as a peer for editors.                ---
FROM dependencies AS modules
RUN cd node_modules \
 && rm -rf @confluentinc/kafka-javascript/deps @confluentinc/kafka-javascript/src @confluentinc/kafka-javascript/build \
 && rm -rf @aws-crypto @aws-sdk @azure @azure-rest @bufbuild @criteria @google-cloud @grpc @hackbg @protobufjs @smithy @typespec \
      avsc gaxios gcp-metadata google-auth-library google-gax jsonata node-vault protobufjs validator web-streams-polyfill \
 && rm -rf .bin node-api-headers nan @mapbox/node-pre-gyp typescript @typescript @types bun-types undici-types
COPY --from=native /app/node_modules/@confluentinc/kafka-javascript/build/Release \
     node_modules/@confluentinc/kafka-javascript/build/Release

FROM oven/bun:${BUN_VERSION}-slim AS run
ENV NODE_ENV=production
WORKDIR /app
# librdkafka looks for the trusted authorities here; slim images have none.
COPY --from=native /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY deploy/images/health-check.sh /usr/local/bin/
COPY --from=modules /app/node_modules node_modules
COPY package.json ./
COPY packages packages

FROM run AS consumer
COPY services/consumer services/consumer
# A named volume that is mounted here takes over this folder's owner.
RUN mkdir -p /var/lib/ingest/consumer && chown -R bun:bun /var/lib/ingest
USER bun
ENV HEALTH_PORT=3001 DEDUPLICATE_PATH=/var/lib/ingest/consumer/seen.sqlite
VOLUME ["/var/lib/ingest/consumer"]
EXPOSE 3001
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s \
  CMD health-check.sh "$HEALTH_PORT"
CMD ["bun", "services/consumer/src/main.ts"]

FROM run AS bench
COPY bench bench
USER bun
ENTRYPOINT ["bun", "bench/src/main.ts"]

FROM run AS producer
COPY services/producer services/producer
RUN mkdir -p /var/lib/ingest/journal && chown -R bun:bun /var/lib/ingest
USER bun
ENV PORT=3000 JOURNAL_DIR=/var/lib/ingest/journal
VOLUME ["/var/lib/ingest/journal"]
EXPOSE 3000
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s \
  CMD if [ -n "$TLS_CERT" ] && [ -z "$ADMIN_PORT" ]; \
      then health-check.sh "$PORT" https; else health-check.sh "${ADMIN_PORT:-$PORT}"; fi
CMD ["bun", "services/producer/src/main.ts"]
