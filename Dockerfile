# KubeScribe's image: the API, the migration and the runner of pipelines, by their command.
#
#   docker build --build-arg BASE=python@sha256:… -t kubescribe .
#
# BASE needs Python 3.11 or newer with venv, and nothing else. What is installed is what the locks say, by hash; the
# runtime stage gets nothing beside it: no pip, no compiler, no package manager's traces.
ARG BASE=docker.io/library/python:3.13-slim

FROM ${BASE} AS build
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PYTHONDONTWRITEBYTECODE=1
RUN python3 -m venv tools && python3 -m venv --without-pip /opt/kubescribe
COPY requirements-image.lock requirements-build.lock ./
RUN tools/bin/python -m pip --python /opt/kubescribe/bin/python \
      install --quiet --no-compile --only-binary :all: --require-hashes -r requirements-image.lock \
 && tools/bin/python -m pip install --quiet --no-compile --require-hashes -r requirements-build.lock
COPY pyproject.toml README.md ./
COPY src src
RUN tools/bin/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir wheels . \
 && tools/bin/python -m pip --python /opt/kubescribe/bin/python install --quiet --no-compile --no-deps wheels/*.whl
# Compiled here, for nothing can be written later; by hash and unchecked, so that it is the same in every build.
RUN /opt/kubescribe/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/kubescribe/lib \
 && find /opt/kubescribe/bin -mindepth 1 ! -name kubescribe ! -name 'python*' -delete

FROM ${BASE} AS runtime
LABEL org.opencontainers.image.title="KubeScribe" \
      org.opencontainers.image.description="Scheduled data jobs with a record that is always true"
# What is setuid in the base is of no use to a user without privileges, and of some to an intruder.
RUN find / -xdev -type f -perm /6000 -exec chmod a-s {} +
COPY --from=build /opt/kubescribe /opt/kubescribe
ENV PATH=/opt/kubescribe/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
# Pipelines go here: modules are looked for in the working directory.
WORKDIR /srv
USER 65532:65532
ENTRYPOINT ["kubescribe"]
