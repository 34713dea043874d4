# The service in a container, without compiler, root or network: see docs/deploy.md.
ARG PYTHON_IMAGE=docker.io/library/python:3.12-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
# Of no processor in particular: AVX2 on x86-64, NEON on ARM. "-DGGML_NATIVE=on" builds for the machine that builds.
ARG CMAKE_ARGS="-DGGML_NATIVE=off"
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends build-essential cmake \
    && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /opt/r1-kb
COPY deploy/requirements.txt deploy/llama.cmake /src/
# What changes seldom comes first: llama.cpp takes minutes to compile, torch is large.
RUN CMAKE_ARGS="${CMAKE_ARGS}" SKBUILD_CMAKE_DEFINE="CMAKE_PROJECT_llama_cpp_INCLUDE=/src/llama.cmake" \
    CMAKE_BUILD_PARALLEL_LEVEL="$(nproc)" \
    /opt/r1-kb/bin/pip install --no-cache-dir --require-hashes --requirement /src/requirements.txt
COPY pyproject.toml README.md LICENSE /src/
COPY kb /src/kb
COPY ingest /src/ingest
COPY server /src/server
RUN /opt/r1-kb/bin/pip install --no-cache-dir --no-deps /src

FROM ${PYTHON_IMAGE}
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin r1-kb \
    && install --directory --owner 10001 --group 10001 --mode 0700 /data /models \
    && install --directory --owner 10001 --group 10001 /documents
COPY --from=build /opt/r1-kb /opt/r1-kb
ENV PATH=/opt/r1-kb/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    KB_HOME=/data \
    KB_MODELS=/models \
    KB_HOST=0.0.0.0
USER 10001
VOLUME ["/data", "/models", "/documents"]
EXPOSE 8321
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8321/healthz', timeout=4)"]
ENTRYPOINT ["kb"]
CMD ["serve", "/documents"]
