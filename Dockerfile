# syntax=docker/dockerfile:1
# Two stages: the first installs into a virtual environment, the second holds nothing else.
FROM python:3.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/tocsin
COPY requirements/build.txt requirements/run.txt requirements/
RUN /opt/tocsin/bin/pip install --require-hashes -r requirements/build.txt -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY classifiers classifiers
COPY config config
COPY seeds seeds
RUN /opt/tocsin/bin/pip install --no-deps --no-build-isolation . \
 && /opt/tocsin/bin/pip uninstall --yes hatchling editables

FROM python:3.13-slim-bookworm
LABEL org.opencontainers.image.title="tocsin" \
      org.opencontainers.image.description="Rings in people's chats when an armed conflict escalates or calms down" \
      org.opencontainers.image.licenses="MIT"
RUN groupadd --gid 10001 tocsin \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin tocsin \
 && install -d -o 10001 -g 10001 /data
COPY --from=build /opt/tocsin /opt/tocsin
# Nothing is written outside /data: no bytecode, no home, no temporary files.
ENV PATH=/opt/tocsin/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TMPDIR=/data \
    TOCSIN_DATA_DIR=/data
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8787
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=60s --timeout=10s --start-period=60s --retries=3 CMD ["tocsin", "health"]
ENTRYPOINT ["tocsin"]
CMD ["run"]
