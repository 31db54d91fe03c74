# Untested: no image could be built where this project is developed. The steps are those of .ci/wheel, which CI runs.
FROM python:3.11-slim AS build
WORKDIR /source
COPY requirements.lock constraints.txt ./
RUN python -m venv /opt/turret \
 && /opt/turret/bin/pip install --no-cache-dir --no-deps --require-hashes --requirement requirements.lock \
 && /opt/turret/bin/pip install --no-cache-dir --constraint constraints.txt torch
COPY . .
RUN /opt/turret/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheel . \
 && /opt/turret/bin/pip install --no-cache-dir --no-deps /wheel/turret_pipeline-*.whl

FROM python:3.11-slim
RUN useradd --create-home --uid 10001 turret && install --directory --owner turret /data
COPY --from=build /opt/turret /opt/turret
ENV PATH=/opt/turret/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    HF_HUB_OFFLINE=1 \
    DAGSTER_DISABLE_TELEMETRY=true \
    DBT_SEND_ANONYMOUS_USAGE_STATS=false \
    TURRET_DATA_DIR=/data
USER turret
WORKDIR /data
VOLUME /data
ENTRYPOINT ["turret"]
CMD ["run"]
