# The dashboard and the commands, with every package verified by its hash. Nothing is downloaded when a container runs.
# docs/operations.md says how to build and run it.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS install
# The page that has PyTorch's CPU builds; requirements.lock has the hash of the one for Python 3.11 on x86-64.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY requirements.lock /tmp/
RUN python -m venv /opt/packages && /opt/packages/bin/pip install --disable-pip-version-check --no-cache-dir \
    --extra-index-url ${TORCH_INDEX} --require-hashes -r /tmp/requirements.lock

FROM ${PYTHON_IMAGE}
COPY --from=install /opt/packages /opt/packages
COPY . /opt/narratives
RUN python -m compileall -q /opt/narratives && useradd --uid 10001 --no-create-home narratives && \
    install -d -o narratives -g narratives /srv/store
USER narratives
# Nothing is written outside /srv/store, except what libraries keep in /tmp.
ENV PATH=/opt/packages/bin:$PATH PYTHONPATH=/opt/narratives PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    HF_HUB_OFFLINE=1 HOME=/tmp NARRATIVES_STORE=/srv/store STREAMLIT_SERVER_ADDRESS=0.0.0.0
# The commands write ./store.
WORKDIR /srv
VOLUME /srv/store
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-c", \
    "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
ENTRYPOINT ["python", "-m", "narratives"]
CMD ["dashboard"]
