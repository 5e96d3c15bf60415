# Two images: `app` runs the service and its commands, `proxy` is nginx with the static files.

# To pin them: --build-arg PYTHON=python:3.13-slim@sha256:…
ARG PYTHON=python:3.13-slim
ARG NGINX=nginx:1.30-alpine

FROM ${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
RUN python -m venv --without-pip /venv
COPY requirements.lock .
# Remove the names of towns, carriers and time zones: 40 MB that the service does not use.
RUN pip --python /venv/bin/python install --require-hashes -r requirements.lock \
 && rm -r /venv/lib/python3.13/site-packages/phonenumbers/carrierdata \
          /venv/lib/python3.13/site-packages/phonenumbers/geodata \
          /venv/lib/python3.13/site-packages/phonenumbers/tzdata
COPY . .
# Compile here, because the running container cannot write files.
RUN /venv/bin/python manage.py collectstatic --noinput --verbosity 0 \
 && /venv/bin/python -m compileall -q .


FROM ${NGINX} AS proxy
COPY deploy/nginx/nginx.conf.template /etc/nginx/templates/
COPY deploy/tls/*.conf deploy/tls/*.accept /etc/nginx/tls/
COPY --from=build /app/staticfiles /srv/static
# The start script writes nginx.conf to /tmp, the only writable folder.
ENV NGINX_ENVSUBST_OUTPUT_DIR=/tmp NGINX_ENVSUBST_FILTER=^(NGINX_|TLS) \
    NGINX_ENTRYPOINT_LOCAL_RESOLVERS=1 TLS=off
USER 101:101
EXPOSE 8000 8443
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
  CMD ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8001/"]
CMD ["nginx", "-c", "/tmp/nginx.conf", "-g", "daemon off;"]


FROM ${PYTHON} AS app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
# A new volume that is mounted at one of these folders gets its owner.
RUN useradd --system --uid 10001 --no-create-home app \
 && install --directory --owner=10001 /secrets /secrets/app /secrets/database /secrets/cache
COPY --from=build /venv /venv
COPY --from=build /app /app
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
  CMD ["python", "deploy/healthcheck.py"]
CMD ["gunicorn", "-c", "config/server/gunicorn.conf.py", "config.wsgi"]
