# syntax=docker/dockerfile:1
# The program with the Swift runtime inside; the image that runs has neither compiler nor shell tools beyond Debian's
# smallest. scripts/lint-docker.sh checks this file and runs what can be run of it without an engine.

FROM python:3.13-slim-bookworm AS docs-assets
WORKDIR /src
COPY scripts/docs-assets.sh scripts/
RUN scripts/docs-assets.sh /docs-assets

FROM swift:6.3-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libcurl4-openssl-dev libpq-dev libssl-dev libstdc++-12-dev zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src

COPY Package.swift ./
COPY Sources Sources
COPY Tests Tests
RUN swift build -c release --product infinity --static-swift-stdlib \
    && install -D -s .build/release/infinity /out/usr/bin/infinity
COPY Migrations /out/usr/share/infinity/Migrations
COPY Seeds /out/usr/share/infinity/Seeds
COPY --from=docs-assets /docs-assets /out/usr/share/infinity/docs-assets

FROM debian:12-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates libcurl4 libpq5 libssl3 tzdata zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/infinity --create-home --shell /usr/sbin/nologin infinity
COPY --from=build /out /
# The database is somebody else's here: a container that is thrown away must not hold one.
ENV INFINITY_EMBEDDED=off \
    INFINITY_BIND=0.0.0.0 \
    INFINITY_HTTPS_PORT=0 \
    INFINITY_DATA=/var/lib/infinity
USER infinity
VOLUME /var/lib/infinity
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["infinity", "doctor", "--health"]
ENTRYPOINT ["infinity"]
CMD ["serve"]
